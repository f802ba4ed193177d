import { expect } from "chai";
import { encodeLease } from "../../support/redis/lease.js";
import type { StateReport } from "../../../lib/telemetry/monitor-state.js";
import {
  NOWHERE,
  runCli,
  startCliProcess,
} from "../../support/programs/cli.js";
import { startFleet } from "../../support/monitor/fleet.js";
import {
  startLeader,
  type MonitorProgram,
} from "../../support/programs/monitor-program.js";
import { runningTime } from "../../support/running-time.js";
import {
  openTestRedis,
  type TestRedis,
} from "../../support/redis/test-redis.js";
import { startUnacceptingListener } from "../../support/http/unaccepting-listener.js";
import { waitFor } from "../../support/wait-for.js";

describe("serin status", () => {
  let test: TestRedis;

  beforeEach(() => {
    test = openTestRedis();
  });

  async function startHeardMonitor(): Promise<MonitorProgram> {
    const monitor = await startLeader(test);
    startFleet(test);
    await waitFor("the fleet to report", async () => {
      const { proxies, hosts, sides } = await monitor.state();
      return (
        proxies.length === 1 && hosts.length === 2 && sides.canary.requests > 0
      );
    });
    return monitor;
  }

  const status = (env: Record<string, string>, ...args: string[]) =>
    runCli(test.keys, ["status", ...args], env);

  it("shows the monitor's state: headline, sides, proxies, hosts, verdict", async () => {
    const monitor = await startHeardMonitor();
    const answer = await status({ MONITOR_URL: monitor.url });
    expect(answer.status).to.equal(0);
    expect(answer.stderr).to.equal("");
    const lines = answer.stdout.split("\n");
    expect(lines[0]).to.match(
      /^Canary takes 25 % of traffic · healthy for \d+ d \d+ h$/,
    );
    expect(lines[2]).to.match(/^side +requests +errors +p50 +p95 +p99 +over$/);
    expect(lines[3]).to.match(/^prod +\d+ +0( +\d(\.\d)? ms){3} +2 s$/);
    expect(lines[4]).to.match(/^canary +\d+ +0( +\d(\.\d)? ms){3} +2 s$/);
    expect(answer.stdout).to.match(/^proxy@edge1:8080 +3:1 +open +\d s ago$/m);
    expect(answer.stdout).to.match(
      /^agent@web2:3102 +canary +1\.2\.3 \(pid 202\) +\d+ d \d+ h +12 % +61 MB +ok 1\.2 ms +\d s ago$/m,
    );
    expect(answer.stdout).to.match(/^verdict {2}(none yet|insufficient)/m);
    expect(answer.stdout).to.match(
      /^monitor {2}monitor@\S+ leads \(epoch 1, lease \d\.\d s old\)$/m,
    );
    expect(answer.stdout).to.match(/^mails {4}0 waiting$/m);
  });

  it("ends with 1 and shows the frozen comparison while the canary is stopped", async () => {
    const monitor = await startHeardMonitor();
    const env = { MONITOR_URL: monitor.url };
    const stop = { value: false, reason: "canary slow over 10 s" } as const;
    const figures = { canaryLatencyMs: 717, prodLatencyMs: 210 };
    await test.ledger.flip("feature", {
      ...{ ...stop, data: figures },
      by: "monitor",
      cause: "breach",
    });
    await test.ledger.flip("feature", {
      ...{ ...stop, reason: "keep it stopped", data: {} },
      by: "operator",
    });
    const { status: code, stdout } = await waitFor("the stop", async () => {
      const answer = await status(env);
      return answer.stdout.startsWith("Canary stopped") && answer;
    });
    expect(code).to.equal(1);
    const verdict =
      /^verdict {2}stopped \S+ UTC by monitor: canary slow over 10 s; canary 717 ms, prod 210 ms$/m;
    expect(stdout).to.match(verdict).and.not.include("healthy");
    expect((await status({})).stdout).to.match(verdict);
    await test.ledger.flip("feature", {
      ...{ value: true, reason: "fixed", data: {} },
      by: "operator",
    });
    await waitFor("the resume", async () => (await status(env)).status === 0);
  });

  it("ends with 0 while a person's own stop lasts", async () => {
    const monitor = await startHeardMonitor();
    await test.ledger.flip("feature", {
      ...{ value: false, reason: "a quiet night", data: {} },
      by: "operator",
    });
    const { status: code } = await waitFor("the stop", async () => {
      const answer = await status({ MONITOR_URL: monitor.url });
      return answer.stdout.startsWith("Canary stopped") && answer;
    });
    expect(code).to.equal(0);
  });

  it("is coloured in a pipe by FORCE_COLOR only", async () => {
    const red = /\u001b\[1m\u001b\[3[1-3]m/; // eslint-disable-line no-control-regex -- colours
    const monitor = await startLeader(test);
    const env = { MONITOR_URL: monitor.url };
    expect((await status(env)).stdout).not.to.match(red);
    expect((await status({ ...env, FORCE_COLOR: "0" })).stdout).not.to.match(
      red,
    );
    expect((await status({ ...env, FORCE_COLOR: "1" })).stdout).to.match(red);
  });

  it("prints the JSON of the monitor's API", async () => {
    const monitor = await startHeardMonitor();
    const { stdout } = await status({ MONITOR_URL: monitor.url }, "--json");
    const told = JSON.parse(stdout) as StateReport;
    const state = await monitor.state();
    expect(Object.keys(told)).to.deep.equal(Object.keys(state));
    expect(told.flag).to.deep.equal(state.flag);
  });

  it("shows the state from Redis when the monitor is unreachable", async () => {
    startFleet(test);
    await test.ledger.flip("feature", {
      value: false,
      by: "operator",
      reason: "looking into it",
      data: {},
    });
    await waitFor(
      "telemetry",
      async () => (await test.redis.xlen(test.keys.telemetry)) >= 4,
    );
    const { status: code, stdout } = await status({});
    expect(code).to.equal(3);
    const lines = stdout.split("\n");
    expect(lines[0]).to.match(
      /^Canary stopped \d\d:\d\d:\d\d UTC by operator: looking into it · stays off until a person resumes it$/,
    );
    expect(lines[2]).to.equal(
      `the monitor at http://${NOWHERE} cannot be reached: ${lines[2]?.split(": ").at(-1)}`,
    );
    expect(lines[3]).to.equal("From Redis only:");
    expect(stdout).to.match(/^proxy@edge1:8080 +3:1 +open/m);
    expect(stdout).to.match(/^agent@web1:3101 +prod +1\.2\.3 \(pid 101\)/m);
    expect(stdout).to.match(/^monitor {2}no monitor leads$/m);
    const json = JSON.parse((await status({}, "--json")).stdout) as object;
    expect(json).to.include.keys("flag", "sides", "proxies", "without");
  });

  it("warns of a silent proxy after the monitor's SILENCE_MS", async () => {
    const monitor = await startLeader(test, { SILENCE_MS: "1500" });
    const fleet = startFleet(test);
    const env = { MONITOR_URL: monitor.url };
    await waitFor("the canary to open", async () =>
      (await status(env)).stdout.startsWith("Canary takes 25 % of traffic · h"),
    );
    fleet.silent.add(fleet.agents.canary);
    await waitFor("the agent to be silent", async () =>
      (await status(env)).stdout.startsWith(
        `Canary takes 25 % of traffic · ${fleet.agents.canary} is silent\n`,
      ),
    );
    fleet.silent.add(fleet.proxy);
    const silentSince = runningTime();
    await waitFor("the proxy to be silent", async () =>
      (await status(env)).stdout.startsWith(
        "Canary is allowed, but no proxy reports\n",
      ),
    );
    // The default is five seconds.
    expect(runningTime() - silentSince).to.be.below(5000);
    expect((await monitor.state()).silenceMs).to.equal(1500);
  });

  it("ignores the state of a monitor that watches another flag", async () => {
    const monitor = await startLeader(test);
    await test.ledger.flip("other", {
      value: false,
      by: "operator",
      reason: "looking into it",
      data: {},
    });
    const env = { MONITOR_URL: monitor.url, FLAG_NAME: "other" };
    const { status: code, stdout } = await status(env);
    expect(code).to.equal(1);
    expect(stdout).to.match(/^Canary stopped \S+ UTC by operator: looking/);
    expect(stdout).to.include(
      `\nthe monitor at ${monitor.url} watches the flag feature, but FLAG_NAME here is other.\nFrom Redis only:\n`,
    );
  });

  it("announces the automatic retry from the ledger only while a monitor leads", async () => {
    await test.ledger.flip("feature", {
      value: false,
      by: "monitor",
      reason: "canary p95 1,012 ms > 500 ms over 10 s (7 requests)",
      data: { nextTryAt: new Date(Date.now() + 58_000).toISOString() },
    });
    expect((await status({})).stdout).to.match(
      /^Canary stopped \S+ UTC: p95 1,012 ms > 500 ms · no retry while no monitor leads\n/,
    );
    await test.redis.set(test.keys.lease, encodeLease("monitor@edge1:8090", 1));
    expect((await status({})).stdout).to.match(
      /^Canary stopped \S+ UTC: p95 1,012 ms > 500 ms · automatic retry in 0:[345]\d\n/,
    );
  });

  it("gives up on a monitor that does not answer", async () => {
    const { url } = await startUnacceptingListener();
    const began = runningTime();
    const cli = startCliProcess(test.keys, ["status"], {
      MONITOR_URL: url.origin,
    });
    expect(await cli.ended).to.equal(3);
    expect(cli.stdout).to.include("cannot be reached: no answer in time.");
    expect(runningTime() - began).to.be.below(8000);
  });

  it("rejects a server that is not a monitor", async () => {
    const { redis } = test;
    const port = redis.options.port ?? 0;
    const { status: code, stdout } = await status({
      MONITOR_URL: `http://127.0.0.1:${port}`,
    });
    expect(code).to.equal(3);
    expect(stdout).to.include(`the monitor at http://127.0.0.1:${port} cannot`);
  });

  it("fails when neither the monitor nor Redis is reachable", async () => {
    const answer = await status({ REDIS_URL: `redis://${NOWHERE}` });
    expect(answer.status).to.equal(3);
    expect(answer.stdout).to.equal("");
    expect(answer.stderr).to.match(
      /^serin: the monitor at \S+ cannot be reached: .+; Redis at \S+ cannot be reached: nothing listens there\n$/,
    );
  });
});
