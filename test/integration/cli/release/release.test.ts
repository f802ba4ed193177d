import {
  existsSync,
  mkdirSync,
  readdirSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { setUp } from "../../../../apps/cli/release/service-commands.js";
import { toFileTerms } from "../../../../lib/rollout/spec.js";
import type { RolloutReport } from "../../../../lib/rollout/rollout-report.js";
import { readServiceFile } from "../../../../lib/service-file.js";
import {
  FakeAnsible,
  report,
  reportOutcome,
} from "../../../support/ansible/fake-ansible.js";
import { GitRepository } from "../../../support/git-repository.js";
import { findOnPath } from "../../../support/needed-program.js";
import {
  createRollout,
  StateServer,
} from "../../../support/monitor/state-server.js";
import { Cli, type CliResult } from "../../../support/programs/cli.js";
import { freshKeys } from "../../../support/redis/redis-server.js";
import { createTempDirectory } from "../../../support/temp-directory.js";

const SHOP = `service: shop
run: ./shop
servers: {prod: [10.0.0.11], canary: [10.0.0.13], edge: [10.0.0.14]}
`;

describe("serin release", () => {
  let ansible: FakeAnsible;
  let repository: GitRepository;
  let server: StateServer;
  let first: string;
  /** Of a rollout that was started, one for each answer of the monitor; the last stays. */
  let phases: RolloutReport["phase"][];

  /** As the calls of the playbook have left it. */
  const readRollout = () => {
    const candidate = /--candidate\W+([\w.-]+)/.exec(ansible.all)?.[1];
    if (candidate === undefined) return null;
    if (ansible.calls.includes("rollout abort"))
      return createRollout({ candidate, phase: "Aborted" });
    const phase = phases.length > 1 ? phases.shift() : phases[0];
    return createRollout({ candidate, phase: phase! });
  };

  const start = (args: string[], env: Record<string, string> = {}) =>
    new Cli(freshKeys(), args, {
      ...repository.env,
      PATH: ansible.PATH,
      MONITOR_URL: server.url,
      SERIN_INVENTORY: "inventory",
      ...env,
    });
  const run = (args: string[], env = {}): Promise<CliResult> =>
    start(args, env).result();

  beforeEach(async () => {
    ansible = new FakeAnsible();
    server = await new StateServer().listen();
    phases = ["Promoting", "Healthy"];
    server.readRollout = readRollout;
    repository = new GitRepository();
    repository.write("serin.yml", SHOP);
    first = repository.commit("the first");
  });

  /** Commits on top of a stable release. */
  const commitOnStable = () => {
    repository.git("branch", "stable");
    repository.git("update-ref", "refs/serin/shop/stable", "stable");
    return repository.commit("the second");
  };

  it("puts the first release on the canary and prod without a verdict", async () => {
    const { status, stdout, stderr } = await run(["release"]);
    expect(stderr).to.equal("");
    expect(status).to.equal(0);
    expect(ansible.calls).to.deep.equal(["deploy canary", "deploy prod"]);
    expect(stdout).to.include("There is no stable release to compare with");
    expect(repository.at("stable")).to.equal(first);
  });

  it("goes through the steps to the canary and to prod, and moves stable", async () => {
    const second = commitOnStable();
    phases.unshift("Progressing");
    ansible.script(
      "deploy",
      report({
        host: "10.0.0.13",
        task: "service : Unpack the artifact",
        changed: true,
      }) +
        report({ host: "10.0.0.13", task: "service : Check", changed: false }) +
        report({
          host: "10.0.0.13",
          task: "service : Wait for a healthy shop@3002",
        }),
    );
    const { status, stdout } = await run(["release"]);
    expect(status).to.equal(0);
    expect(ansible.calls).to.deep.equal([
      "rollout start",
      "deploy canary",
      "deploy prod",
    ]);
    expect(ansible.argumentsOf(1))
      .to.match(
        /"serin_service_artifact":"\S+\/artifacts\/shop-\d{14}-\w{10}\.tar\.gz"/,
      )
      .and.include(`-i ${join(repository.path, "inventory")}`);
    expect(stdout)
      .to.match(
        / s {2}10\.0\.0\.13 {2}Unpack the artifact\n.* s {2}10\.0\.0\.13 {2}shop@3002 is healthy\n/,
      )
      .and.match(/ UTC {2}2 % ▶ .* · prod\n/)
      .and.match(/ UTC {2}.* · prod ✔\n/);
    expect(repository.at("stable")).to.equal(second);
  });

  it("starts the rollout with the steps of serin.yml before the canary gets the release", async () => {
    repository.write(
      "serin.yml",
      `${SHOP}rollout: {steps: [{weight: 7.5, for: 2m}]}\n`,
    );
    commitOnStable();
    expect((await run(["release"])).status).to.equal(0);
    expect(ansible.argumentsOf(0))
      .to.match(/--candidate\W+\d{14}-\w{10}\W+--stable\W+\d{14}-\w{10}\W/)
      .and.match(/weight\W+7\.5\W+for\W+2m/);
  });

  it("puts the canary back when its rollout is aborted", async () => {
    commitOnStable();
    phases = ["Progressing", "Aborted"];
    const { status, stderr, stdout } = await run(["release"]);
    expect(stderr).to.match(
      /^serin: rollout 41 of \S+ was aborted at .* by monitor: p95 1,012 ms > 500 ms\n$/,
    );
    expect(status).to.equal(1);
    expect(ansible.calls).to.deep.equal([
      "rollout start",
      "deploy canary",
      "rollback canary",
    ]);
    expect(ansible.argumentsOf(2)).to.match(
      new RegExp(
        `"serin_release":"\\d{14}-${first.slice(0, 10)}","serin_release_is_stable":"true"`,
      ),
    );
    expect(stdout).to.include("canary runs the stable release: ");
    expect(repository.at("stable")).to.equal(first);
  });

  it("puts both sides back when the rollout is aborted on prod", async () => {
    commitOnStable();
    phases = ["Promoting", "Promoting", "Aborted"];
    const { status } = await run(["release"]);
    expect(status).to.equal(1);
    expect(ansible.calls.slice(1)).to.deep.equal([
      "deploy canary",
      "deploy prod",
      "rollback prod",
      "rollback canary",
    ]);
    expect(repository.at("stable")).to.equal(first);
  });

  it("leaves the release on the canary when its steps take too long, and goes on later", async () => {
    const second = commitOnStable();
    phases = ["Paused"];
    const late = await run(["release", "--wait", "0.001"]);
    expect(late.status).to.equal(5);
    expect(late.stderr)
      .to.include("is not Promoting yet")
      .and.include(`serin release --skip-verdict ${second.slice(0, 10)}`);
    expect(ansible.calls).to.deep.equal(["rollout start", "deploy canary"]);
    phases = ["Progressing", "Promoting", "Healthy"];
    const { status, stdout } = await run(["release"]);
    expect(stdout).to.include("rollout 41 of this release goes on");
    expect(status).to.equal(0);
    expect(ansible.calls.slice(2)).to.deep.equal([
      "deploy canary",
      "deploy prod",
    ]);
    expect(repository.at("stable")).to.equal(second);
  });

  it("runs the check of a step on this machine, and reports its result", async () => {
    const steps = `[{weight: 0, check: "echo at $SERIN_CANARY_URL"}, {weight: 5, for: 1s}]`;
    repository.write("serin.yml", `${SHOP}rollout: {steps: ${steps}}\n`);
    commitOnStable();
    phases = ["Progressing"];
    const { rollout, analysis } = readServiceFile(
      join(repository.path, "serin.yml"),
    );
    const spec = toFileTerms({ rollout, analysis });
    server.readRollout = () => {
      const checked = ansible.calls.includes("rollout check");
      const own = readRollout();
      const phase = checked ? "Healthy" : "Progressing";
      return own && { ...own, spec, phase };
    };
    const { status, stdout } = await run(["release"]);
    expect(stdout).to.include("at http://10.0.0.13:3002\n");
    expect(status).to.equal(0);
    expect(ansible.calls.slice(0, 3)).to.deep.equal([
      "rollout start",
      "deploy canary",
      "rollout check",
    ]);
    expect(ansible.argumentsOf(2)).to.include("--passed");
  });

  it("needs a monitor that knows rollouts, unless it releases without a verdict", async () => {
    commitOnStable();
    server.readRollout = () => undefined as unknown as null;
    const { status, stderr } = await run(["release"]);
    expect(stderr).to.include("is older than this serin and knows no rollouts");
    expect(status).to.equal(2);
    expect((await run(["release", "--skip-verdict"])).status).to.equal(0);
  });

  it("changes nothing while the flag is false or the commit is rejected", async () => {
    const second = commitOnStable();
    server.state.flag.value = false;
    server.readRollout = () => null;
    const refused = await run(["release"]);
    expect(refused.status).to.equal(4);
    expect(refused.stderr).to.include("not built: the flag is false");
    // The rollout before does not keep the next one out.
    server.readRollout = () =>
      readRollout() ?? createRollout({ phase: "Aborted" });
    repository.git("update-ref", `refs/rejected/${second}`, second);
    expect((await run(["release"])).status).to.equal(4);
    expect(ansible.calls).to.deep.equal([]);
    expect((await run(["release", "--force"])).status).to.equal(0);
  });

  it("puts prod and the canary back when a host of prod fails, and shows why", async () => {
    commitOnStable();
    phases = ["Promoting"];
    ansible.script(
      "deploy",
      `case "$*" in *'"prod"'*)\n${report({
        ...{
          event: "failed",
          host: "10.0.0.11",
          task: "service : Reject a release that did not become healthy",
        },
        message: "it did not become healthy\nLast lines:\nno such module",
      })}${report({ event: "failed", host: "10.0.0.11", task: "Fail", message: "see above" })}exit 2 ;; esac\n`,
    );
    const { status, stderr } = await run(["release"]);
    expect(status).to.equal(1);
    expect(stderr).to.equal(
      "serin: 10.0.0.11: it did not become healthy\nLast lines:\nno such module\n",
    );
    expect(ansible.calls).to.deep.equal([
      "rollout start",
      "deploy canary",
      "deploy prod",
      "rollout abort",
      "rollback prod",
      "rollback canary",
    ]);
    expect(repository.at("stable")).to.equal(first);
  });

  it("ends with status 3 if a host cannot be reached, without a roll-back", async () => {
    commitOnStable();
    const unreachable = { event: "unreachable", host: "10.0.0.13" };
    ansible.script(
      "deploy",
      `${report({ ...unreachable, task: "Find", message: "no route to host" })}exit 4\n`,
    );
    const { status, stderr } = await run(["release"]);
    expect(status).to.equal(3);
    expect(stderr).to.equal(
      "serin: 10.0.0.13 cannot be reached: no route to host. Check servers and ssh in serin.yml\n",
    );
    expect(ansible.calls).to.deep.equal([
      "rollout start",
      "deploy canary",
      "rollout abort",
    ]);
  });

  it("puts both sides back and ends with status 3 if a host of prod goes away in the middle", async () => {
    commitOnStable();
    phases = ["Promoting"];
    const away = { event: "unreachable", host: "10.0.0.11", task: "Find" };
    ansible.script(
      "deploy",
      `case "$*" in *'"prod"'*)\n${report(away)}exit 4 ;; esac\n`,
    );
    const { status, stderr } = await run(["release"]);
    expect(status).to.equal(3);
    expect(stderr).to.include("10.0.0.11 cannot be reached");
    expect(ansible.calls.slice(3)).to.deep.equal([
      "rollout abort",
      "rollback prod",
      "rollback canary",
    ]);
  });

  it("ends with status 2 if a host fails for a cause outside of the release", async () => {
    commitOnStable();
    const full = {
      event: "failed",
      host: "10.0.0.13",
      task: "service : Unpack",
    };
    ansible.script(
      "deploy",
      `${report({ ...full, message: "No space left on device" })}exit 2\n`,
    );
    const { status, stderr } = await run(["release"]);
    expect(status).to.equal(2);
    expect(stderr).to.equal("serin: 10.0.0.13: No space left on device\n");
  });

  it("tells a build that npm or this machine failed from one of a bad commit", async () => {
    for (const [says, expected] of [
      ["npm error code EAI_AGAIN", 3],
      ["npm error code E503", 3],
      ["npm error code EUSAGE", 1],
      ["cp cannot write, No space left on device", 2],
    ] as const) {
      repository.write("serin.yml", `${SHOP}build: echo "${says}"; exit 7\n`);
      repository.commit(says);
      const { status, stderr } = await run(["release"]);
      expect(status, says).to.equal(expected);
      expect(stderr).to.include(says);
    }
    repository.write("serin.yml", `${SHOP}build: kill -9 $$\n`);
    repository.commit("killed");
    expect((await run(["release"])).status).to.equal(2);
  });

  it("says that prod has the release if stable cannot be moved, and does not blame the commit", async () => {
    commitOnStable();
    // Somebody else moves it meanwhile.
    ansible.script(
      "deploy",
      `git -C ${repository.path} branch -qf stable $(git commit-tree -m other HEAD^{tree})\n`,
    );
    const { status, stderr } = await run(["release"]);
    expect(status).to.equal(2);
    expect(stderr).to.match(
      /^serin: prod runs \S+, but stable was not moved to it: git push: [^]*stale info[^]*Release the commit again/,
    );
  });

  it("keeps what a build and Ansible print from other users", async () => {
    const logs = join(repository.path, "artifacts/logs");
    mkdirSync(logs, { recursive: true });
    writeFileSync(join(logs, "deploy-canary.log"), "", { mode: 0o644 });
    repository.write("serin.yml", `${SHOP}build: echo a secret\n`);
    repository.commit("with a build");
    await run(["release"]);
    const names = readdirSync(logs);
    expect(names).to.have.length(3);
    for (const name of names)
      expect(statSync(join(logs, name)).mode & 0o777, name).to.equal(0o600);
  });

  it("ends the playbook on a signal and says how to go on", async () => {
    commitOnStable();
    ansible.script(
      "deploy",
      `${reportOutcome("10.0.0.13", "a", "b")}${report({ host: "10.0.0.13", task: "Now", changed: true })}sleep 60\n`,
    );
    const cli = start(["release"]);
    await cli.untilPrinted(/Now/);
    const { status, stderr } = await cli.stop();
    expect(status).to.equal(130);
    expect(stderr)
      .to.include("10.0.0.13 runs b")
      .and.include("goes on, `serin rollback` goes back");
    expect(ansible.calls).to.deep.equal(["rollout start", "deploy canary"]);
  });

  it("aborts the rollout and puts the canary back on a signal", async () => {
    commitOnStable();
    phases = ["Progressing"];
    const cli = start(["release", "--wait"]);
    await cli.untilPrinted(/2 % ▶/);
    expect((await cli.stop()).status).to.equal(130);
    expect(ansible.calls.slice(2)).to.deep.equal([
      "rollout abort",
      "rollback canary",
    ]);
  });

  it("runs alone on a machine", async () => {
    ansible.script(
      "deploy",
      `${report({ host: "h", task: "Now", changed: true })}sleep 60\n`,
    );
    const cli = start(["release"]);
    await cli.untilPrinted(/Now/);
    const { status, stderr } = await run(["release"]);
    expect(status).to.equal(4);
    expect(stderr).to.match(/^serin: process \d+ changes shop already: wait/);
    await cli.stop();
    ansible.script("deploy", "");
    expect((await run(["release"])).status).to.equal(0);
  });

  it("names what is missing on this machine before anything is changed", async () => {
    const own = { SERIN_INVENTORY: "" };
    const noVault = await run(["release"], own);
    expect(noVault.status).to.equal(2);
    expect(noVault.stderr).to.match(
      /serin\.vault\.yml does not exist: write it with `serin setup`/,
    );
    const onlyGit = createTempDirectory();
    symlinkSync(String(findOnPath(["git"])), join(onlyGit, "git"));
    const noAnsible = await run(["release"], { PATH: onlyGit });
    expect(noAnsible.status).to.equal(2);
    expect(noAnsible.stderr).to.include(
      "no ansible-playbook on the PATH: install ansible-core",
    );
    repository.write("serin.yml", "service: shop\nrun: ./shop\n");
    const noServers = await run(["rollback"], own);
    expect(noServers.status).to.equal(2);
    expect(noServers.stderr).to.include("names no servers: add servers");
    expect(ansible.calls).to.deep.equal([]);
  });

  it("goes back to the stable release, if there is one", async () => {
    const missing = await run(["rollback", "stable", "--canary"]);
    expect(missing.status).to.equal(1);
    expect(missing.stderr).to.equal("serin: there is no stable release yet\n");
    commitOnStable();
    await run(["rollback", "stable", "--canary"]);
    expect(ansible.calls).to.deep.equal(["rollback canary"]);
    expect(ansible.argumentsOf(0)).to.match(
      new RegExp(`"serin_release":"\\d{14}-${first.slice(0, 10)}"`),
    );
  });

  it("goes back to the release before, and tells from what to what", async () => {
    ansible.script(
      "rollback",
      reportOutcome("10.0.0.11", "2", "1") +
        reportOutcome("10.0.0.13", "1", "1"),
    );
    const both = await run(["rollback"]);
    expect(both.status).to.equal(0);
    expect(both.stdout).to.match(
      /\n10\.0\.0\.11: 2 → 1\n10\.0\.0\.13 runs 1 already\nstable was not moved.*no commit 1 in .*\n$/,
    );
    await run(["rollback", "--canary", "1"]);
    expect(ansible.calls).to.deep.equal(["rollback both", "rollback canary"]);
    expect(ansible.argumentsOf(1)).to.include('"serin_release":"1"');
  });

  it("moves stable back with prod, but not with the canary alone", async () => {
    await run(["release"]);
    const second = repository.commit("the second");
    await run(["release"]);
    const [release] = /\d{14}-\w{10}/.exec(ansible.argumentsOf(0)) ?? [""];
    ansible.script("rollback", reportOutcome("10.0.0.13", "2", release));
    await run(["rollback", "--canary"]);
    expect(repository.at("stable")).to.equal(second);
    ansible.script(
      "rollback",
      reportOutcome("10.0.0.11", "2", `${release}+1a2b3c4d`) +
        reportOutcome("10.0.0.13", "3", "2"),
    );
    const { status, stdout } = await run(["rollback"]);
    expect(stdout).to.match(/\nstable is \w+ "the first" by .*\n$/);
    expect(status).to.equal(0);
    expect(repository.at("stable")).to.equal(first);
  });

  it("does not take a release under another stable branch for the first", async () => {
    commitOnStable();
    const env = { SERIN_STABLE: "live" };
    const { status, stderr } = await run(["release"], env);
    expect(stderr).to.include("but refs/serin/shop/stable of an earlier");
    expect(status).to.equal(4);
    for (const SERIN_STABLE of ["stable ", "../x", "*", "x:refs/heads/main"]) {
      const refused = await run(["release"], { SERIN_STABLE });
      expect(refused.stderr).to.include(`SERIN_STABLE is "${SERIN_STABLE}"`);
    }
    expect(ansible.calls).to.deep.equal([]);
    expect((await run(["release", "--skip-verdict"], env)).status).to.equal(0);
  });

  it("keeps a stable branch of its own beside another service's", async () => {
    repository.git("branch", "stable");
    const second = repository.commit("the second");
    const env = { SERIN_STABLE: "stable-shop" };
    const { stdout } = await run(["release"], env);
    expect(stdout).to.include("There is no stable release to compare with");
    expect(repository.at("stable-shop")).to.equal(second);
    expect(repository.at("stable")).to.equal(first);
  });

  it("releases without a verdict while the flag is false", async () => {
    const second = commitOnStable();
    server.state.flag.value = false;
    expect((await run(["release", "--skip-verdict"])).status).to.equal(0);
    expect(repository.at("stable")).to.equal(second);
  });

  it("sets hosts up with Serin's programs and a new vault", async () => {
    const root = createTempDirectory();
    mkdirSync(join(root, "dist/apps"), { recursive: true });
    writeFileSync(join(root, "LICENSE"), "");
    writeFileSync(join(root, "package.json"), '{"version": "1.2.3"}');
    const file = readServiceFile(join(repository.path, "serin.yml"));
    const env = { ...repository.env, PATH: ansible.PATH };
    const { signal } = new AbortController();
    const lines: string[] = [];
    await setUp(
      {
        file,
        inventory: undefined,
        env,
        signal,
        say: (line) => lines.push(line),
      },
      { isCheck: false, root },
    );
    expect(existsSync(join(repository.path, "serin.vault.yml"))).to.equal(true);
    expect(ansible.argumentsOf(0))
      .to.include("/ansible/inventory/serin --vault-password-file ")
      .and.include(`-e @${repository.path}/serin.vault.yml`)
      .and.match(
        /"serin_artifact":"\S+\/artifacts\/serin-1\.2\.3-\w{10}\.tar\.gz"/,
      );
    expect(lines.at(-1)).to.equal("the hosts are set up. Next: serin release");
  });
});
