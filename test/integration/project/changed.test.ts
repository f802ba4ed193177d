import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { createTempDirectory } from "../../support/temp-directory.js";

const ROOT = fileURLToPath(new URL("../../../../", import.meta.url));
const GIT_ENV = {
  PATH: process.env.PATH ?? "",
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_CONFIG_NOSYSTEM: "1",
  ...{ GIT_AUTHOR_NAME: "A", GIT_AUTHOR_EMAIL: "a@example.com" },
  ...{ GIT_COMMITTER_NAME: "A", GIT_COMMITTER_EMAIL: "a@example.com" },
};

/** A small repository with .ci/changed in its first commit. */
class Repository {
  readonly root: string;

  constructor(root = createTempDirectory()) {
    this.root = root;
  }

  static create(): Repository {
    const repository = new Repository();
    repository.git("init", "--quiet", "--initial-branch=main");
    const script = join(repository.root, ".ci/changed");
    mkdirSync(dirname(script));
    cpSync(join(ROOT, ".ci/changed"), script);
    repository.commit("ansible/site.yml", "apps/proxy/proxy.ts");
    return repository;
  }

  git(...args: string[]): void {
    const stdio = ["ignore", "ignore", "inherit"] as const;
    execFileSync("git", args, {
      cwd: this.root,
      env: GIT_ENV,
      stdio: [...stdio],
    });
  }

  write(path: string): void {
    mkdirSync(dirname(join(this.root, path)), { recursive: true });
    writeFileSync(join(this.root, path), String(Math.random()));
  }

  /** A commit that changes these files. */
  commit(...paths: string[]): void {
    for (const path of paths) this.write(path);
    this.git("add", "--all");
    this.git("commit", "--quiet", "--allow-empty", "--message", "a change");
  }

  clone(...options: string[]): Repository {
    const clone = new Repository();
    const from = `file://${this.root}`;
    clone.git("clone", "--quiet", ...options, from, ".");
    return clone;
  }

  ask(suite: string, env: Record<string, string> = {}) {
    const { status, stdout } = spawnSync(
      join(this.root, ".ci/changed"),
      [suite],
      { env: { ...GIT_ENV, ...env }, encoding: "utf8" },
    );
    return { status, why: stdout.trim() };
  }

  mustRun(suite: string): boolean {
    const { status, why } = this.ask(suite);
    expect(status, why).to.be.oneOf([0, 1]);
    return status === 0;
  }
}

describe(".ci/changed", () => {
  let repository: Repository;

  beforeEach(() => {
    repository = Repository.create();
  });

  const expectDeploymentAlone = (where = repository) => {
    expect(where.mustRun("deployment")).to.equal(true);
    expect(where.mustRun("bench")).to.equal(false);
  };

  it("runs the suites that read what has changed since the tag stable", () => {
    repository.git("tag", "stable");
    repository.commit("README.md");
    expect(repository.ask("deployment")).to.deep.equal({
      status: 1,
      why: "nothing that it reads has changed since stable",
    });
    repository.commit("ansible/site.yml", "ansible/deploy.yml");
    expect(repository.ask("deployment")).to.deep.equal({
      status: 0,
      why: "changed since stable: ansible/deploy.yml and 1 more",
    });
    expectDeploymentAlone();
  });

  it("takes a branch for stable, here or at the origin", () => {
    repository.git("branch", "stable");
    repository.commit("ansible/site.yml");
    expectDeploymentAlone();
    expectDeploymentAlone(repository.clone());
  });

  it("takes the last tag where there is no stable", () => {
    repository.commit("apps/proxy/proxy.ts");
    repository.git("tag", "v0.2.0");
    repository.commit("ansible/site.yml");
    expectDeploymentAlone();
  });

  it("counts both ends of a move, what a merge brings, and what is not committed", () => {
    const base = () => repository.git("tag", "--force", "stable");
    base();
    mkdirSync(join(repository.root, "docs"));
    repository.git("mv", "ansible/site.yml", "docs/site.yml");
    repository.commit();
    expectDeploymentAlone();

    repository.git("checkout", "--quiet", "-b", "side");
    base();
    repository.commit("ansible/other.yml");
    repository.git("checkout", "--quiet", "main");
    repository.commit("README.md");
    repository.git("merge", "--quiet", "--no-edit", "side");
    expectDeploymentAlone();

    base();
    repository.commit("README.md");
    expect(repository.mustRun("deployment")).to.equal(false);
    repository.write("ansible/new.yml");
    expectDeploymentAlone();
  });

  it("counts what stable has and this commit lacks", () => {
    repository.git("checkout", "--quiet", "-b", "stable");
    repository.commit("ansible/site.yml");
    repository.git("checkout", "--quiet", "main");
    repository.commit("README.md");
    expectDeploymentAlone();
  });

  it("runs every suite where nothing can be compared", () => {
    const expectAll = (why: string, where = repository, env = {}) => {
      for (const suite of ["deployment", "bench"])
        expect(where.ask(suite, env)).to.deep.equal({ status: 0, why });
    };
    expectAll("there is neither stable nor a tag to compare with");
    repository.git("tag", "v0.2.0");
    expectAll("this commit is v0.2.0 itself");
    repository.commit("README.md");
    expectAll("CI_FULL is 1", repository, { CI_FULL: "1" });
    expectAll(
      "there is neither stable nor a tag to compare with",
      repository.clone("--depth=1"),
    );
    rmSync(join(repository.root, ".git"), { recursive: true });
    expectAll("this is no git repository, or has no commit");
  });

  it("knows its suites, and reads only what is there", () => {
    expect(repository.ask("deploymend").status).to.equal(2);
    const table = execFileSync(join(ROOT, ".ci/changed"), { encoding: "utf8" });
    const rows = table.trim().split("\n");
    expect(rows).to.have.length.above(20);
    for (const [suite, path = ""] of rows.map((row) => row.split("\t"))) {
      const files = execFileSync("git", ["ls-files", "--", path], {
        cwd: ROOT,
        encoding: "utf8",
      });
      expect(files, `${suite} reads ${path}`).not.to.equal("");
    }
  });
});
