import { expect } from "chai";
import { StateServer } from "../../../support/monitor/state-server.js";
import { GitRepository } from "../../../support/git-repository.js";
import { runCli, type CliResult } from "../../../support/programs/cli.js";
import { freshKeys } from "../../../support/redis/redis-server.js";

describe("serin admit and serin reject", () => {
  let repository: GitRepository;
  let server: StateServer;
  const run = (...args: string[]): Promise<CliResult> =>
    runCli(freshKeys(), args, { ...repository.env, MONITOR_URL: server.url });

  beforeEach(async () => {
    server = await new StateServer().listen();
    repository = new GitRepository();
    repository.write("serin.yml", "service: shop\nrun: ./shop\n");
    repository.commit("the first");
  });

  it("admit a commit while the flag is true", async () => {
    const { status, stdout } = await run("admit");
    expect(status).to.equal(0);
    expect(stdout).to.match(/^admitted: \w+ "the first" by Tester\n$/);
    server.state.flag.value = false;
    expect(await run("admit")).to.include({
      status: 4,
      stdout: "",
    });
  });

  it("reject a commit, which is then not admitted", async () => {
    repository.git("branch", "stable");
    repository.git("update-ref", "refs/serin/shop/stable", "stable");
    const bad = repository.commit("bad");
    const rejected = await run("reject");
    expect(rejected.stderr).to.equal("");
    expect(rejected.status).to.equal(0);
    expect(repository.at("main")).to.equal(repository.at("stable"));
    const again = await run("admit", bad);
    expect(again.status).to.equal(4);
    expect(again.stderr).to.match(
      /^serin: not built: .*"bad" by Tester was re/,
    );
    expect((await run("admit", "--force", bad)).status).to.equal(0);
  });

  it("stop at a branch stable of the team's own", async () => {
    repository.git("branch", "stable");
    for (const command of ["admit", "reject"]) {
      const { status, stderr } = await run(command);
      expect(status, command).to.equal(4);
      expect(stderr).to.include("has a branch stable that Serin did not make");
    }
  });

  it("end with status 1 if the branch cannot be reset", async () => {
    const { status, stderr } = await run("reject");
    expect(status).to.equal(1);
    expect(stderr).to.include("main was NOT reset: no release has reached");
  });
});
