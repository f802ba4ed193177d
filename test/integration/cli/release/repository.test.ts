import { execFileSync } from "node:child_process";
import { chownSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import {
  admitCommit,
  fetchStable,
  markStable,
  readRepository,
  requireFirst,
  type Repository,
} from "../../../../apps/cli/release/repository/repository.js";
import { rejectCommit } from "../../../../apps/cli/release/repository/reject.js";
import { describeCommit } from "../../../../apps/cli/release/repository/commit.js";
import { openWorkingTree } from "../../../../apps/cli/release/repository/working-tree.js";
import { GitRepository } from "../../../support/git-repository.js";
import { createTempDirectory } from "../../../support/temp-directory.js";

/** The service that all releases are of. */
const SHOP = { service: "shop", stable: undefined, path: "/serin.yml" };

/** A repository (`kind`), people's working tree in it or of it, and a clone from which releases are made. */
class Project {
  readonly dev = new GitRepository();
  readonly url: string;
  readonly #clone = join(createTempDirectory(), "clone");

  constructor(kind: "tree" | "bare") {
    this.dev.write("package.json", '{"version": "1.2.3"}');
    this.dev.write("app", "good");
    this.dev.write("other", "other");
    this.dev.commit("the first");
    this.url = kind === "tree" ? this.dev.path : this.#cloneBare();
    execFileSync("git", ["clone", "--quiet", this.url, this.#clone]);
  }

  #cloneBare(): string {
    const url = join(createTempDirectory(), "bare.git");
    execFileSync("git", ["clone", "--quiet", "--bare", this.dev.path, url]);
    return url;
  }

  at(ref: string): string {
    const bare = [
      "--git-dir",
      this.dev.path === this.url ? `${this.url}/.git` : this.url,
    ];
    try {
      return this.dev.git(...bare, "rev-parse", "--verify", "--quiet", ref);
    } catch {
      return "";
    }
  }

  commit(text: string, message: string): string {
    this.dev.write("app", text);
    const commit = this.dev.commit(message);
    this.push("main");
    return commit;
  }

  push(to: string): void {
    if (this.url !== this.dev.path)
      this.dev.git(
        "push",
        "--quiet",
        "--force",
        this.url,
        `HEAD:refs/heads/${to}`,
      );
  }

  /** Reads the repository to release a commit. */
  read(
    commit: string,
    settings: { repository?: string; stable?: string } = {},
    service: Parameters<typeof readRepository>[2] = SHOP,
  ): Repository {
    const env = { ...this.dev.env, PATH: process.env.PATH };
    const tree = openWorkingTree(this.#clone, env);
    tree.git("fetch", "--quiet", "origin", "+refs/*:refs/from-origin/*");
    return readRepository(
      tree,
      {
        ...{ repository: "", branch: "", stable: "", revision: commit },
        ...{ jenkins: { build: "", commit: "" } },
        ...settings,
      },
      service,
    );
  }

  reject(commit: string): { said: string; error: string } {
    return rejectIn(this.read(commit));
  }

  markStable(commit: string): void {
    markStable(this.read(commit));
  }
}

function rejectIn(repository: Repository): { said: string; error: string } {
  const lines: string[] = [];
  try {
    rejectCommit(repository, (line) => lines.push(line));
    return { said: lines.join("\n"), error: "" };
  } catch (err) {
    return { said: lines.join("\n"), error: (err as Error).message };
  }
}

/** A project with a stable release and a bad commit on it. */
function createWithStable(kind: "tree" | "bare") {
  const project = new Project(kind);
  const first = project.dev.at("HEAD");
  project.markStable(first);
  const bad = project.commit("bad", "a bad\u001b[2J\u202e one");
  return { project, first, bad };
}

for (const kind of ["tree", "bare"] as const)
  describe(`a ${kind === "tree" ? "repository with a working tree" : "bare repository"}`, () => {
    it("keeps its branch while there is no stable release, and the commit", () => {
      const project = new Project(kind);
      const bad = project.commit("bad", "bad");
      expect(project.reject(bad).error).to.equal(
        "main was NOT reset: no release has reached prod yet, so there is no stable release",
      );
      expect(project.at("main")).to.equal(bad);
      expect(project.at(`refs/rejected/${bad}`)).to.equal(bad);
    });

    it("admits a commit, moves stable to it, and never rejects that", () => {
      const project = new Project(kind);
      const first = project.dev.at("HEAD");
      expect(admitCommit(project.read(first), false)).to.match(/^admitted: /);
      project.markStable(first);
      expect(project.at("stable")).to.equal(first);
      expect(project.reject(first)).to.deep.equal({
        said: `rejected: ${first.slice(0, 7)} "the first" by Tester\nIt is the stable release: nothing was changed.`,
        error: "",
      });
      expect(project.at(`refs/rejected/${first}`)).to.equal("");
    });

    it("resets the branch to stable and keeps the rejected commit", () => {
      const { project, first, bad } = createWithStable(kind);
      const { said, error } = project.reject(bad);
      expect(error).to.equal("");
      expect(said)
        .to.include(`rejected: ${bad.slice(0, 7)} "a bad [2J  one" by Tester`)
        .and.include(`git fetch ${project.url} refs/rejected/${bad}`);
      expect(project.at("main")).to.equal(first);
      expect(project.at("stable")).to.equal(first);
      expect(project.at(`refs/rejected/${bad}`)).to.equal(bad);
      expect(project.reject(bad).error).to.equal("");
      expect(project.at("main")).to.equal(first);
    });

    it("admits a rejected commit only by force, or amended", () => {
      const { project, bad } = createWithStable(kind);
      project.reject(bad);
      expect(() => admitCommit(project.read(bad), false)).to.throw(
        /^not built: .* was rejected before .*[^]*--force/,
      );
      expect(admitCommit(project.read(bad), true)).to.match(
        /^admitted by force: /,
      );
      project.dev.git("reset", "--quiet", "--hard", bad);
      project.dev.git("commit", "--quiet", "--amend", "-m", "amended");
      project.push("amended");
      const amended = project.dev.at("HEAD");
      expect(admitCommit(project.read(amended), false)).to.match(/^admitted: /);
    });

    it("forgets the rejection of a commit that becomes stable", () => {
      const { project, bad } = createWithStable(kind);
      project.reject(bad);
      project.markStable(bad);
      expect(project.at("stable")).to.equal(bad);
      expect(project.at(`refs/rejected/${bad}`)).to.equal("");
    });

    it("keeps a branch that has moved on, and takes its bad end back with all below", () => {
      const { project, first, bad } = createWithStable(kind);
      const fix = project.commit("fixed", "a fix");
      expect(project.reject(bad).said).to.include(`main has moved to ${fix}`);
      expect(project.at("main")).to.equal(fix);
      const repository = project.read(fix, {
        repository: `file://${project.url}`,
      });
      expect(rejectIn(repository).error).to.equal("");
      expect(project.at("main")).to.equal(first);
      expect(project.at(`refs/rejected/${fix}~1`)).to.equal(bad);
    });
  });

describe("a bare repository that others use too", () => {
  it("may reject the push that resets the branch", () => {
    const { project, bad } = createWithStable("bare");
    project.dev.git(
      ...["--git-dir", project.url],
      ...["config", "receive.denyNonFastForwards", "true"],
    );
    expect(project.reject(bad).error).to.equal(
      "main was NOT reset: the repository rejected the push",
    );
    expect(project.at(`refs/rejected/${bad}`)).to.equal(bad);
  });

  it("keeps a commit and a stable that were pushed in the meantime", () => {
    const { project, bad } = createWithStable("bare");
    const repository = project.read(bad);
    const late = project.commit("late", "late");
    expect(rejectIn(repository).error).to.include("main was NOT reset");
    expect(project.at("main")).to.equal(late);
    project.push("stable");
    expect(() => markStable(repository)).to.throw("stale info");
    expect(project.at("stable")).to.equal(late);
  });
});

describe("the branch stable", () => {
  const WEB = { ...SHOP, service: "web" };
  const commitServices = (project: Project, ...folders: string[]) => {
    for (const folder of folders)
      project.dev.write(`${folder}/serin.yml`, "service: x");
    return project.commit("several", "several services");
  };

  it("is left alone and named if Serin did not make it", () => {
    const { project, first, bad } = createWithStable("bare");
    project.dev.git("push", "--quiet", project.url, `${first}:refs/heads/prod`);
    expect(() => project.read(bad, { stable: "prod" })).to.throw(
      /has a branch prod that Serin did not make for shop[^]*`stable: prod-shop`[^]*FETCH_HEAD:refs\/serin\/shop\/prod$/,
    );
    expect(() => project.read(bad, {}, WEB)).to.throw("did not make for web");
    expect(project.at("prod")).to.equal(first);
    const own = { ...SHOP, stable: "shop/live" };
    markStable(project.read(bad, {}, own));
    expect(project.at("shop/live")).to.equal(bad);
    expect(project.at("stable")).to.equal(first);
  });

  it("is moved again by a later release", () => {
    const { project, bad } = createWithStable("bare");
    project.markStable(bad);
    expect(project.at("stable")).to.equal(bad);
    expect(project.at("refs/serin/shop/stable")).to.equal(bad);
  });

  it("is known by its record after someone deleted it, and made again", () => {
    const { project, first, bad } = createWithStable("bare");
    project.dev.git("push", "--quiet", project.url, ":refs/heads/stable");
    expect(fetchStable(project.read(bad))).to.equal(first);
    project.markStable(bad);
    expect(project.at("stable")).to.equal(bad);
  });

  it("is missed if the service was released under another name", () => {
    const { project, bad } = createWithStable("bare");
    const renamed = project.read(bad, { stable: "live" });
    expect(fetchStable(renamed)).to.equal(undefined);
    expect(() => requireFirst(renamed)).to.throw(
      /has no refs\/heads\/live, but refs\/serin\/shop\/stable of an earlier release[^]*FETCH_HEAD:refs\/heads\/live/,
    );
    requireFirst(project.read(bad, { stable: "live" }, WEB));
  });

  it("belongs to each service of a repository that has several", () => {
    const project = new Project("bare");
    const commit = commitServices(project, "shop", "web");
    for (const service of [SHOP, WEB])
      markStable(project.read(commit, {}, service));
    expect(project.at("stable-shop")).to.equal(commit);
    expect(project.at("stable-web")).to.equal(commit);
    expect(project.at("stable")).to.equal("");
  });

  it("stays with a service that was alone when it was made", () => {
    const { project, first } = createWithStable("bare");
    const commit = commitServices(project, "shop", "web");
    expect(fetchStable(project.read(commit))).to.equal(first);
    expect(fetchStable(project.read(commit, {}, WEB))).to.equal(undefined);
    markStable(project.read(commit, {}, WEB));
    expect(project.at("stable-web")).to.equal(commit);
  });
});

describe("a working tree whose commit is rejected", () => {
  it("is reset, and keeps other uncommitted work", () => {
    const { project, bad } = createWithStable("tree");
    project.dev.write("other", "mine");
    project.dev.write("new", "new");
    project.dev.git("add", "new");
    project.dev.write("untracked", "untracked");
    expect(project.reject(bad).error).to.equal("");
    expect(readFileSync(join(project.dev.path, "app"), "utf8")).to.equal(
      "good",
    );
    expect(project.dev.git("status", "--short").split("\n")).to.deep.equal([
      "A  new",
      " M other",
      "?? untracked",
    ]);
  });

  it("is not reset over conflicting work, not even ignored files", () => {
    const { project, bad } = createWithStable("tree");
    project.dev.write("app", "unsaved");
    expect(project.reject(bad).error).to.include("git reset --keep ");
    expect(readFileSync(join(project.dev.path, "app"), "utf8")).to.equal(
      "unsaved",
    );
    expect(project.at("main")).to.equal(bad);

    const other = new Project("tree");
    other.dev.write("local.env", "secret");
    const first = other.dev.commit("a file that should not be here");
    other.markStable(first);
    other.dev.git("rm", "--quiet", "local.env");
    other.dev.write(".gitignore", "local.env");
    const ignored = other.dev.commit("ignored instead");
    other.dev.write("local.env", "mine");
    expect(other.reject(ignored).error).to.include("is in the way");
    expect(readFileSync(join(other.dev.path, "local.env"), "utf8")).to.equal(
      "mine",
    );
  });

  it("is left alone during a merge or a rebase of the branch", () => {
    const { project, first, bad } = createWithStable("tree");
    const { dev } = project;
    dev.git("switch", "--quiet", "-c", "feature", first);
    dev.write("app", "feature");
    dev.commit("feature");
    dev.git("switch", "--quiet", "main");
    expect(() => dev.git("merge", "--quiet", "feature")).to.throw();
    expect(project.reject(bad).error).to.include("is in the way");
    expect(dev.at("MERGE_HEAD")).to.equal(dev.at("feature"));
    dev.git("merge", "--abort");
    const editor = "sequence.editor=sed -i 1s/pick/edit/";
    dev.git("-c", editor, "rebase", "--quiet", "-i", first);
    expect(project.reject(bad).error).to.equal(
      "main was NOT reset: git refused to move it",
    );
    expect(project.at("main")).to.equal(bad);
  });

  it("keeps its files while the branch is checked out elsewhere or nowhere", () => {
    const { project, first, bad } = createWithStable("tree");
    const { dev } = project;
    dev.git("switch", "--quiet", "--detach");
    const elsewhere = join(createTempDirectory(), "elsewhere");
    dev.git("worktree", "add", "--quiet", elsewhere, "main");
    expect(project.reject(bad).error).to.equal("");
    expect(readFileSync(join(elsewhere, "app"), "utf8")).to.equal("good");
    expect(readFileSync(join(dev.path, "app"), "utf8")).to.equal("bad");
    dev.git("worktree", "remove", elsewhere);
    dev.git("branch", "--force", "main", bad);
    expect(project.reject(bad).error).to.equal("");
    expect(project.at("main")).to.equal(first);
  });

  it("keeps a commit that was made in the meantime", () => {
    const { project, bad } = createWithStable("tree");
    const repository = project.read(bad);
    const late = project.dev.commit("late");
    expect(rejectIn(repository).error).to.include(
      `main was NOT reset: it has moved to ${late} in the meantime`,
    );
    expect(project.at("main")).to.equal(late);
  });

  it("is left alone if another user owns it", function () {
    // Only root can give a folder away.
    if (process.getuid?.() !== 0) return;
    const { project, bad } = createWithStable("tree");
    const repository = project.read(bad);
    chownSync(project.dev.path, 65534, 65534);
    expect(rejectIn(repository).error).not.to.equal("");
    chownSync(project.dev.path, 0, 0);
    expect(project.at("main")).to.equal(bad);
  });
});

describe("a release's repository", () => {
  for (const decoy of ["heads/refs/heads/stable", "tags/refs/rejected/x"])
    it(`is not used while it has refs/${decoy}`, () => {
      const { project, bad } = createWithStable("bare");
      const repository = project.read(bad);
      const ref = `refs/${decoy}`;
      project.dev.git("push", "--quiet", project.url, `${bad}:${ref}`);
      const named = `has a ref ${ref}, which Git could take for refs/`;
      expect(() => project.read(bad)).to.throw(named);
      expect(rejectIn(repository).error).to.include(named);
      expect(() => markStable(repository)).to.throw();
      expect(project.at("main")).to.equal(bad);
    });

  it("may not be an option of git", () => {
    const project = new Project("bare");
    const mark = join(createTempDirectory(), "mark");
    const repository = `--upload-pack=touch ${mark};`;
    expect(() => project.read("HEAD", { repository })).to.throw(
      "cannot be read",
    );
    expect(existsSync(mark)).to.equal(false);
  });

  it("is not read in a workspace at another commit than the build's", () => {
    const project = new Project("bare");
    const { tree } = project.read("HEAD");
    const jenkins = { build: "http://jenkins", commit: "" };
    const branches = { branch: "", stable: "" };
    const settings = { repository: "", ...branches, revision: "HEAD", jenkins };
    expect(() => readRepository(tree, settings, SHOP)).to.throw(
      "the workspace is not at the commit of the build (unknown)",
    );
  });

  it("is the working tree's own if there is no remote", () => {
    const repository = new GitRepository();
    const commit = repository.commit();
    mkdirSync(join(repository.path, "sub"));
    const env = { ...repository.env, PATH: process.env.PATH };
    const tree = openWorkingTree(join(repository.path, "sub"), env);
    markStable(
      readRepository(
        tree,
        {
          ...{ repository: "", branch: "", stable: "", revision: "HEAD" },
          jenkins: { build: "", commit: "" },
        },
        SHOP,
      ),
    );
    expect(repository.at("stable")).to.equal(commit);
  });

  it("names a release by its version, its commit's time in UTC and its commit", () => {
    const project = new Project("bare");
    const { tree, commit } = project.read("HEAD");
    const format = "--date=format-local:%Y%m%d%H%M%S";
    const time = execFileSync(
      "git",
      ["-C", tree.folder, "log", "-1", format, "--format=%cd"],
      { env: { ...process.env, TZ: "UTC" }, encoding: "utf8" },
    ).trim();
    expect(describeCommit(tree, "HEAD").release).to.equal(
      `1.2.3-${time}-${commit.slice(0, 10)}`,
    );
  });
});
