import { chmodSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { GitRepository } from "../../support/git-repository.js";
import { runCli } from "../../support/programs/cli.js";
import { freshKeys } from "../../support/redis/redis-server.js";

describe("serin hooks", () => {
  let clone: GitRepository;

  beforeEach(() => {
    clone = new GitRepository();
  });

  const hooks = (args: string, env = {}) =>
    runCli(freshKeys(), ["hooks", ...args.split(" ")], {
      ...clone.env,
      ...env,
    });
  const inClone = (name: string) => join(clone.path, name);
  const read = (name: string) => readFileSync(inClone(name), "utf8");
  /** Stands for Serin's script, which the hook calls. */
  const replaceScript = () =>
    clone.write(".git/serin/post-commit", "#!/bin/sh\necho serin >>ran\n");
  const commitAndReadRan = () => {
    clone.commit("a commit");
    return read("ran");
  };

  it("installs a hook that git runs after a commit", async () => {
    const { status, stdout } = await hooks("install");
    expect(status).to.equal(0);
    expect(stdout).to.equal(
      `${inClone(".git/hooks/post-commit")} notifies Jenkins\n` +
        "still to do: no Jenkins to notify: npx serin hooks install --jenkins-url http://jenkins:8080\n",
    );
    expect(read(".git/serin/post-commit")).to.include("notify_jenkins");
    replaceScript();
    expect(commitAndReadRan()).to.equal("serin\n");
  });

  it("keeps a hook that ends itself", async () => {
    const own = "#!/bin/bash\necho own >>ran\nexit 0\n";
    clone.write(".git/hooks/post-commit", own, 0o755);
    await hooks("install");
    await hooks("install");
    replaceScript();
    expect(commitAndReadRan()).to.equal("serin\nown\n");
    await hooks("uninstall");
    expect(read(".git/hooks/post-commit")).to.equal(own);
  });

  it("adds nothing to a hook that is Serin's script", async () => {
    await hooks("install");
    const script = read(".git/serin/post-commit");
    clone.write(".git/hooks/post-commit", script, 0o755);
    await hooks("install");
    expect(read(".git/hooks/post-commit")).to.equal(script);
  });

  it("keeps core.hooksPath, also from a subfolder", async () => {
    mkdirSync(inClone("our-hooks"));
    mkdirSync(inClone("packages"));
    clone.git("config", "core.hooksPath", "our-hooks");
    await hooks("install", { PWD: inClone("packages") });
    expect(clone.git("config", "core.hooksPath")).to.equal("our-hooks");
    replaceScript();
    expect(commitAndReadRan()).to.equal("serin\n");
  });

  it("adds to the hook that husky runs, not to husky's runner", async () => {
    mkdirSync(inClone(".husky/_"), { recursive: true });
    clone.git("config", "core.hooksPath", ".husky/_");
    clone.write(".husky/post-commit", "npm run audit\n", 0o644);
    const { stdout } = await hooks("install");
    expect(stdout).not.to.include("not executable");
    expect(read(".husky/post-commit")).to.match(
      /^# serin: begin[^]*# serin: end\nnpm run audit\n$/,
    );
    expect(existsSync(inClone(".husky/_/post-commit"))).to.equal(false);
  });

  it("does nothing in a clone without Serin's script", async () => {
    await hooks("install");
    clone.git("config", "core.hooksPath", ".git/hooks");
    replaceScript();
    const other = new GitRepository();
    other.git("config", "core.hooksPath", inClone(".git/hooks"));
    other.commit("elsewhere");
    expect(existsSync(join(other.path, "ran"))).to.equal(false);
  });

  it("rejects a hook that is no shell script, and changes nothing", async () => {
    clone.write(".git/hooks/post-commit", "#!/usr/bin/env python3\n", 0o755);
    const { status, stderr } = await hooks("install");
    expect(status).to.equal(1);
    expect(stderr).to.include("post-commit is no shell script: call");
    expect(read(".git/hooks/post-commit")).to.equal("#!/usr/bin/env python3\n");
  });

  it("reports a hook that git ignores", async () => {
    clone.write(".git/hooks/post-commit", "#!/bin/sh\n", 0o644);
    const { stdout } = await hooks("install");
    expect(stdout).to.include("chmod +x ").and.include("not executable");
  });

  it("stores the settings in the clone and reports what is missing", async () => {
    const { stdout } = await hooks(
      "install --jenkins-url http://ci:8080 --repository-url /srv/shop.git --push-remote deploy --branch release",
    );
    const config = (name: string) => clone.git("config", `serin.${name}`);
    expect(
      ["jenkinsUrl", "repositoryUrl", "pushRemote", "branch"].map(config),
    ).to.deep.equal(["http://ci:8080", "/srv/shop.git", "deploy", "release"]);
    expect(stdout)
      .to.include("still to do: the remote deploy does not exist")
      .and.include(inClone(".config/serin/jenkins-token"));
    clone.git("remote", "add", "deploy", "/srv/shop.git");
    clone.write("token", "secret", 0o644);
    expect((await hooks("install --token-file token")).stdout).to.include(
      `chmod 600 ${inClone("token")}`,
    );
    chmodSync(inClone("token"), 0o600);
    expect((await hooks("install")).stdout).not.to.include("still to do");
  });

  it("uninstalls all that it has written", async () => {
    await hooks("install --branch release");
    expect((await hooks("uninstall")).status).to.equal(0);
    expect(existsSync(inClone(".git/hooks/post-commit"))).to.equal(false);
    expect(existsSync(inClone(".git/serin"))).to.equal(false);
    expect(clone.git("config", "--list", "--local")).not.to.include("serin.");
  });

  it("fails in a sentence outside of a clone", async () => {
    const { status, stderr } = await hooks("install", { PWD: "/" });
    expect(status).to.equal(1);
    expect(stderr).to.equal("serin: / is in no git working tree\n");
  });
});
