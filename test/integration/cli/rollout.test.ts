import { hostname } from "node:os";
import { expect } from "chai";
import { followRollout } from "../../../apps/cli/commands/rollout/follow-rollout.js";
import { runCheck } from "../../../apps/cli/commands/rollout/run-check.js";
import { CliError, EXIT } from "../../../apps/cli/exit-status.js";
import { isRunning } from "../../../lib/program/process-identity.js";
import { onCleanup } from "../../support/cleanup.js";
import {
  Cli,
  cliEnvironment,
  CLI_MAIN,
  runCli,
} from "../../support/programs/cli.js";
import { Subprocess } from "../../support/programs/subprocess.js";
import { createServiceFile } from "../../support/programs/service-file.js";
import { hostSample } from "../../support/monitor/telemetry.js";
import { startHeardFleet, type Fleet } from "../../support/monitor/fleet.js";
import { waitFor } from "../../support/wait-for.js";
import { openRollout, START } from "../../support/redis/test-rollout.js";
import {
  openTestRedis,
  type TestRedis,
} from "../../support/redis/test-redis.js";

const OPERATOR = `alice@${hostname()}`;

describe("serin rollout", () => {
  let test: TestRedis;
  let stored: ReturnType<typeof openRollout>;
  const serin = (...args: string[]) => runCli(test.keys, ["rollout", ...args]);

  beforeEach(() => {
    test = openTestRedis();
    stored = openRollout(test);
  });

  /** Prod runs 0.2.0, and the canary 0.3.0. */
  async function startReleases(): Promise<Fleet> {
    const fleet = await startHeardFleet(test);
    fleet.samples.prod = hostSample("prod", { host: "web1", version: "0.2.0" });
    fleet.samples.canary = hostSample("canary", {
      host: "web2",
      version: "0.3.0",
    });
    const { telemetry } = test.keys;
    const sent = await test.redis.xlen(telemetry);
    await waitFor(
      "the releases",
      async () => (await test.redis.xlen(telemetry)) >= sent + 4,
    );
    return fleet;
  }

  it("starts with the release of the canary hosts, the steps of serin.yml, and receipts", async () => {
    await startReleases();
    const { path } = createServiceFile(`service: shop
run: node server.js
rollout: {steps: [{weight: 7.5, for: 1m}, {weight: 25, for: 1m}]}
`);
    expect(await serin("start", "--file", path)).to.deep.equal({
      status: 0,
      stdout:
        "rollout 1 of 0.3.0 has started: step 1 of 2, canary takes 7.5 %\n" +
        "1 proxy sends 7.5 % to the canary\n",
      stderr: "",
    });
    expect(await stored.rollout()).to.deep.include({
      ...{ candidate: "0.3.0", stable: "0.2.0", by: "operator", weight: 7.5 },
      reason: `rollout 1 of 0.3.0 has started: step 1 of 2, canary takes 7.5 %, by ${OPERATOR}`,
    });
    expect((await serin("start", "--file", path)).stderr).to.match(
      /^serin: rollout 1 of 0\.3\.0 was started already: it is Progressing/,
    );
  });

  it("takes its steps from standard input, as serin release sends them", async () => {
    await startReleases();
    const text =
      '{"service":"s","run":"-","rollout":{"steps":[{"weight":3,"for":"1m"}]}}';
    const line = `printf %s '${text}' | "${process.execPath}" "${CLI_MAIN}" rollout start --file /dev/stdin`;
    const cli = new Subprocess(["sh", "-c", line], {
      env: cliEnvironment(test.keys, {}),
    });
    onCleanup(() => cli.end());
    await cli.untilPrinted(/step 1 of 1, canary takes 3 %/);
  });

  it("starts with the default steps where there is no serin.yml", async () => {
    await startReleases();
    await serin("start", "--file", "/nowhere/serin.yml");
    expect((await serin("status")).stdout).to.match(
      /^2 % ▶ 0:0\d of 1:00 · 10 % · 25 % · prod$/m,
    );
  });

  it("starts nothing that it cannot name", async () => {
    expect((await serin("start")).stderr).to.equal(
      "serin: no agent of the canary hosts reports: name the release with --candidate\n",
    );
    const same = await serin("start", "--candidate", "a", "--stable", "a");
    expect(same).to.deep.include({
      status: 4,
      stderr:
        "serin: the canary runs a, like prod: deploy a release to the canary first\n",
    });
    expect(await stored.store.read()).not.to.have.property("rollout");
  });

  it("goes through its steps, and to prod past them", async () => {
    await startReleases();
    await stored.ask(START);
    const verbs = [
      [
        "promote",
        /: step 2 of 4, canary takes 7\.5 %\n1 proxy sends 7\.5 % to/,
      ],
      ["pause", /^rollout 1 of 0\.3\.0 is paused: step 2 of 4.*\n$/],
      ["resume", /^rollout 1 of 0\.3\.0 goes on: step 2 of 4.*\n$/],
      ["promote", /waits for a person: step 3 of 4, canary takes 7\.5 %\n$/],
    ] as const;
    for (const [verb, printed] of verbs) {
      const { status, stdout, stderr } = await serin(verb);
      expect(stderr).to.equal("");
      expect(stdout).to.match(printed);
      expect(status).to.equal(0);
    }
    expect((await serin("promote", "--full")).stdout).to.equal(
      "rollout 1 of 0.3.0: all steps are done, prod can get it\n",
    );
    expect((await stored.rollout()).phase).to.equal("Promoting");
  });

  it("aborts without a monitor, and begins again", async () => {
    await startReleases();
    await stored.ask(START);
    await stored.ask({ verb: "promote" });
    expect(await serin("abort", "--reason", "slow")).to.deep.equal({
      status: 0,
      stdout:
        "rollout 1 of 0.3.0 is aborted: slow\n" +
        "1 proxy stopped the canary after 3 ms; no request was in flight\n",
      stderr: "",
    });
    expect(await test.redis.get(test.keys.flag("feature"))).to.equal("false");
    const events = await test.events();
    expect(events.at(-1)).to.deep.include({
      ...{ kind: "flip", by: "operator" },
      reason: "rollout 1 of 0.3.0 is aborted: slow",
    });
    expect(events.at(-1)?.data).to.deep.include({
      ...{ rollout: 1, operator: OPERATOR, value: false },
    });
    expect((await serin("status")).status).to.equal(1);
    expect((await serin("retry")).stdout).to.match(
      /^rollout 1 of 0\.3\.0: step 1 of 4, canary takes 0 %\n1 proxy opened/,
    );
    expect(await test.redis.get(test.keys.flag("feature"))).to.equal("true");
  });

  it("refuses a verb in the wrong phase, and changes nothing", async () => {
    expect(await serin("promote")).to.deep.equal({
      ...{ status: 4, stdout: "", stderr: "serin: there is no rollout\n" },
    });
    await stored.ask(START);
    await stored.ask({ verb: "abort" });
    const before = await test.redis.hgetall(test.keys.rollout("feature"));
    for (const verb of ["promote", "pause", "resume", "abort"]) {
      const { status, stderr } = await serin(verb);
      expect(stderr).to.match(
        new RegExp(
          `^serin: nothing to ${verb}: rollout 1 was aborted at [\\d:]+ UTC\\n$`,
        ),
      );
      expect(status).to.equal(4);
    }
    expect(
      await test.redis.hgetall(test.keys.rollout("feature")),
    ).to.deep.equal(before);
  });

  it("fails when no proxy reads this Redis", async () => {
    await stored.ask(START);
    const { status, stderr } = await serin("abort");
    expect(stderr).to.include("no proxy reads this Redis: nothing was stopped");
    expect(status).to.equal(1);
  });

  it("shows what a rollout waits for, its release, and how to go on", async () => {
    await startReleases();
    await test.ledger.record({
      ...{ kind: "deploy", by: "deploy", reason: "0.3.0 runs on web2" },
      data: { release: "0.3.0", author: "Ann", subject: "Faster cart" },
    });
    await stored.ask(START);
    await stored.ask({ verb: "promote" });
    const { status, stdout } = await serin("status");
    expect(status).to.equal(0);
    const lines = stdout.split("\n");
    expect(lines.length).to.be.at.most(24);
    expect(lines[0]).to.equal(
      "Rollout 1 of 0.3.0 is Progressing (step 2 of 4, canary takes 7.5 %)",
    );
    expect(lines[1]).to.match(
      /^0 % check ✔ · 7\.5 % ▶ 0:0\d of 1:00 · pause · 25 % · prod$/,
    );
    expect(stdout)
      .to.match(/^waits for +its time, another .*, and 50 requests to the can/m)
      .and.match(/^evidence +unknown without the monitor$/m)
      .and.match(/^harm +0 of at most 200 requests, then abort$/m)
      .and.match(/^release +0\.3\.0 by Ann \(Faster cart\), deployed [\d:]+ U/m)
      .and.match(/^instead of +0\.2\.0$/m)
      .and.match(/^next +the next step; `serin rollout abort` stops it$/m);
    const json = JSON.parse((await serin("status", "--json")).stdout) as object;
    expect(json).to.deep.include({ id: 1, phase: "Progressing", step: 1 });
  });

  it("shows the rollout in serin status", async () => {
    await startReleases();
    await stored.ask(START);
    await stored.ask({ verb: "promote" });
    expect((await runCli(test.keys, ["status"])).stdout).to.match(
      /^rollout +1 of 0\.3\.0: 0 % check ✔ · 7\.5 % ▶ .* · prod$/m,
    );
  });

  it("is silent about rollouts where there is none", async () => {
    expect((await serin("status")).stdout).to.equal(
      "there is no rollout: SPLIT is the canary's share\n",
    );
    expect((await serin("history")).stdout).to.match(/^no rollout is in the/);
    expect((await serin("status", "--json")).stdout).to.equal("null\n");
  });

  it("lists the rollouts of the ledger", async () => {
    await stored.ask(START);
    await stored.ask({ verb: "abort" }, { reason: "it was slow" });
    await stored.ask({ ...START, candidate: "0.4.0" });
    const { stdout } = await serin("history");
    const [head, second, first] = stdout.split("\n");
    expect(head).to.match(/^rollout +release +started +took +phase +by +why$/);
    expect(second).to.match(
      /^ +2 +0\.4\.0 +.* Progressing +operator +rollout 2/,
    );
    expect(first).to.match(/^ +1 +0\.3\.0 +.* Aborted +operator +it was slow$/);
    const json = await serin("history", "--json", "--limit", "1");
    expect(JSON.parse(json.stdout)).to.have.length(1);
  });

  describe("check", () => {
    /** Starts a rollout with this check, which serin.yml has too. */
    const startWith = async (check: string) => {
      const { path, rollout, analysis } = createServiceFile(`service: shop
run: node server.js
servers: {prod: [10.0.0.11], canary: [10.0.0.13], edge: [10.0.0.14]}
rollout: {steps: [{weight: 0, check: ${JSON.stringify(check)}}, {weight: 25, for: 1m}]}
`);
      await stored.ask({ ...START, spec: { rollout, analysis } });
      return path;
    };
    const check = (path: string) => serin("check", "--file", path);

    it("runs the command of serin.yml, and the step goes on", async () => {
      const path = await startWith("echo $SERIN_CANARY_URL $SERIN_RELEASE");
      expect(await check(path)).to.deep.equal({
        status: 0,
        stdout:
          "http://10.0.0.13:3002 0.3.0\nrollout 1 of 0.3.0: its check has passed\n",
        stderr: "",
      });
      expect((await stored.rollout()).checked).to.equal(true);
      expect((await check(path)).status).to.equal(4);
    });

    it("aborts the rollout when it fails", async () => {
      await startReleases();
      const path = await startWith("echo no cart >&2; exit 3");
      const { status, stdout } = await check(path);
      expect(status).to.equal(1);
      expect(stdout).to.match(
        /^no cart\nrollout 1 of 0\.3\.0 is aborted: its check has failed: echo no cart >&2; exit 3: it ended with 3\n/,
      );
      expect((await stored.rollout()).phase).to.equal("Aborted");
    });

    it("runs nothing for a rollout that is over", async () => {
      const path = await startWith("echo ran");
      await stored.ask({ verb: "abort" });
      const { status, stdout, stderr } = await check(path);
      expect({ status, stdout }).to.deep.equal({ status: 4, stdout: "" });
      expect(stderr).to.match(
        /^serin: nothing to check: rollout 1 was aborted at [\d:]+ UTC\n$/,
      );
    });

    it("runs nothing that stands in Redis only", async () => {
      await startWith("touch /tmp/never");
      const steps = `rollout: {steps: [{weight: 0, check: "echo another"}, {weight: 25, for: 1m}]}`;
      const file = "service: shop\nrun: node server.js\n";
      for (const text of [undefined, `${file}${steps}\n`]) {
        const { path } = createServiceFile(text);
        const { status, stdout, stderr } = await check(path);
        expect(stderr)
          .to.include("is not that of ")
          .and.include("nothing was run");
        expect({ status, stdout }).to.deep.equal({ status: 4, stdout: "" });
      }
    });

    for (const [what, command] of [
      ["and all that it has started", "sleep 600 & sleep 600"],
      ["though a process of it has left its group", "setsid sleep 2 & exit 0"],
    ] as const)
      it(`ends what takes longer than it may, ${what}`, async () => {
        const failure = await runCheck({
          ...{ command, cwd: "/", env: process.env },
          ...{ say: () => undefined, limitMs: 200 },
        });
        expect(failure).to.equal("it did not end within 0.2 s");
      });

    it("ends its command at Ctrl-C, and reports nothing", async () => {
      const path = await startWith("echo runs as $$; exec sleep 600");
      const checking = new Cli(test.keys, ["rollout", "check", "--file", path]);
      await checking.untilPrinted(/runs as \d+\n/);
      const pid = Number(/\d+/.exec(checking.stdout)?.[0]);
      onCleanup(() => {
        if (isRunning(pid)) process.kill(pid, "SIGKILL");
      });
      expect((await checking.stop()).status).to.equal(130);
      expect(isRunning(pid)).to.equal(false);
      expect(await stored.rollout()).to.deep.include({
        ...{ phase: "Progressing", checked: false },
      });
    });

    it("reports the failure of a long command", async () => {
      const path = await startWith(`exit 3 # ${"x".repeat(600)}`);
      expect((await check(path)).status).to.equal(1);
      const { phase, reason } = await stored.rollout();
      expect(phase).to.equal("Aborted");
      expect(reason).to.match(/x…: it ended with 3$/);
    });

    it("refuses a release whose name is empty, long or has control characters", async () => {
      await startReleases();
      for (const candidate of ["", "x".repeat(201), "0.3.0\u001b[2J"]) {
        const refused = await stored.ask({ ...START, candidate });
        expect(refused).to.match(/^refused: a release has a name of 1 to 200/);
      }
      expect(await stored.store.read()).to.not.have.property("rollout");
    });
  });

  describe("wait", () => {
    const wait = (...args: string[]) =>
      new Cli(test.keys, ["rollout", "wait", ...args]);

    it("follows a rollout until it is Healthy, a line for each change", async () => {
      await stored.ask(START);
      const following = wait();
      await following.untilPrinted(/0 % check ▶/);
      await stored.ask({ verb: "promote" });
      await following.untilPrinted(/7\.5 % ▶ 0:00 of 1:00/);
      await stored.ask({ verb: "promote" });
      await following.untilPrinted(
        /pause ▶ .*waits for `serin rollout promote/,
      );
      await stored.ask({ verb: "promote", full: true });
      await following.untilPrinted(/25 % ✔ · prod ▶/);
      await stored.ask({ verb: "finish" });
      const { status, stdout } = await following.result();
      expect(status).to.equal(0);
      expect(stdout.trimEnd().split("\n")).to.have.length(5);
      expect(stdout).to.match(/ · prod ✔\n$/);
    });

    it("ends at Promoting on demand", async () => {
      await stored.ask(START);
      await stored.ask({ verb: "promote", full: true });
      const { status } = await wait("--until", "Promoting").result();
      expect(status).to.equal(0);
    });

    it("ends with 1 when the rollout is aborted", async () => {
      await stored.ask(START);
      const following = wait();
      await following.untilPrinted(/▶/);
      await stored.ask({ verb: "abort" }, { reason: "a person asks" });
      const { status, stderr } = await following.result();
      expect(stderr).to.match(
        /^serin: rollout 1 of 0\.3\.0 was aborted at .* by operator: a person asks\n$/,
      );
      expect(status).to.equal(1);
    });

    it("ends with 5 when a newer rollout begins", async () => {
      await stored.ask(START);
      const following = wait();
      await following.untilPrinted(/▶/);
      await stored.ask({ ...START, candidate: "0.4.0" });
      const { status, stderr } = await following.result();
      expect(stderr).to.equal(
        "serin: rollout 2 of 0.4.0 has begun instead of rollout 1 of 0.3.0\n",
      );
      expect(status).to.equal(5);
    });

    it("ends with 5 when it takes longer than it may", async () => {
      await stored.ask(START);
      const late = await followRollout({
        ...{ read: () => stored.store.read(), say: () => undefined },
        ...{ until: "Healthy", limitMs: 0 },
        signal: new AbortController().signal,
      }).catch((err: unknown) => err);
      expect(late)
        .to.be.instanceOf(CliError)
        .and.include({ status: EXIT.undecided })
        .and.property("message")
        .match(/^rollout 1 of 0\.3\.0 is not Healthy yet: 0 % check ▶/);
    });

    it("ends at Ctrl-C, and leaves the rollout alone", async () => {
      await stored.ask(START);
      const following = wait();
      await following.untilPrinted(/▶/);
      expect((await following.stop()).status).to.equal(130);
      expect((await stored.rollout()).phase).to.equal("Progressing");
    });
  });
});
