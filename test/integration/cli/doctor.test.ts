import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect } from "chai";
import { onCleanup } from "../../support/cleanup.js";
import { NOWHERE, runCli } from "../../support/programs/cli.js";
import { startFleet } from "../../support/monitor/fleet.js";
import { hostSample } from "../../support/monitor/telemetry.js";
import { startLeader } from "../../support/programs/monitor-program.js";
import {
  openTestRedis,
  type TestRedis,
} from "../../support/redis/test-redis.js";
import { waitFor } from "../../support/wait-for.js";

interface Finding {
  check: string;
  level: string;
  says: string;
  todo?: string;
}

describe("serin doctor", () => {
  let test: TestRedis;

  beforeEach(() => {
    test = openTestRedis();
  });

  async function examine(env: Record<string, string>, ...args: string[]) {
    const answer = await runCli(test.keys, ["doctor", "--json", ...args], env);
    expect(answer.stderr).to.equal("");
    const findings = JSON.parse(answer.stdout) as Finding[];
    const level = (check: string) =>
      findings.filter((finding) => finding.check === check).map((f) => f.level);
    return { status: answer.status, findings, level };
  }

  it("reports no problem in a healthy system", async () => {
    const monitor = await startLeader(test);
    startFleet(test);
    await waitFor(
      "telemetry",
      async () => (await test.redis.xlen(test.keys.telemetry)) >= 4,
    );
    const env = { MONITOR_URL: monitor.url };
    const { status, findings } = await examine(env);
    expect(
      findings.filter(({ level }) => level !== "ok").map((f) => f.check),
    ).to.deep.equal(["persistence"]);
    expect(status).to.equal(0);
    const { stdout } = await runCli(test.keys, ["doctor"], env);
    expect(stdout).to.match(/^ok {4}proxy {8}proxy@edge1:8080 reports$/m);
    expect(stdout).to.match(
      /^note {2}persistence {2}.*\n {6}→ set appendonly/m,
    );
  });

  it("reports each problem with a remedy and ends with status 1", async () => {
    const monitor = await startLeader(test, { FLAG_NAME: "other" });
    await test.redis.set(test.keys.flag("feature"), "nonsense");
    await test.redis.hset(test.keys.alerts, "cpu:agent@web1:3101", "noon");
    const { status, findings, level } = await examine({
      MONITOR_URL: monitor.url,
    });
    expect(status).to.equal(1);
    for (const check of ["flag", "api", "alert", "proxy"])
      expect(level(check), check).to.deep.equal(["problem"]);
    expect(level("agent")).to.deep.equal(["problem", "problem"]);
    for (const { level: found, todo } of findings)
      if (found === "problem") expect(todo).to.be.a("string");
  });

  it("names 20 silent agents once, and sums up", async () => {
    const old = Date.now() - 60_000;
    const names = Array.from({ length: 20 }, (_, at) => `agent@web-${at}:3101`);
    for (const [at, source] of names.entries()) {
      await test.redis.xadd(
        ...([test.keys.telemetry, `${old}-${at}`] as const),
        ...["kind", "host", "source", source, "at", String(old)],
        ...["data", JSON.stringify(hostSample("prod"))],
      );
      const raisedAt = new Date(old).toISOString();
      await test.redis.hset(test.keys.alerts, `silence:${source}`, raisedAt);
    }
    const gone = ["silence:agent@a:1", "silence:agent@b:1"];
    for (const id of gone)
      await test.redis.hset(test.keys.alerts, id, "2026-03-01T12:00:00Z");
    const { stdout } = await runCli(test.keys, ["doctor"]);
    expect(stdout).to.match(
      /^problem {6}agent +20 agents are silent, the last of them for 1 min: agent@web-0:3101, .*, agent@web-9:3101$/m,
    );
    expect(stdout).to.match(
      /^problem {6}alert +silence: agent@a:1, agent@b:1, since 2026-03-01 12:00:00 UTC$/m,
    );
    for (const name of names)
      expect(stdout.split(name), name).to.have.length(2);
    expect(stdout).to.match(
      /\n\n6 problems: monitor, alert, agent, proxy, api\n$/,
    );
  });

  it("reports a stopped canary", async () => {
    const monitor = await startLeader(test);
    startFleet(test);
    await waitFor(
      "telemetry",
      async () => (await test.redis.xlen(test.keys.telemetry)) >= 4,
    );
    const env = { MONITOR_URL: monitor.url };
    const doctor = () => runCli(test.keys, ["doctor"], env);
    const well = await doctor();
    expect(well.stdout).to.match(/\n\nall well, 1 note\n$/);
    expect(well.status).to.equal(0);
    await runCli(test.keys, ["flag", "off", "--reason", "looking"], env);
    const stopped = await doctor();
    expect(stopped.stdout).to.match(
      /^problem {2}flag +feature is off, so the canary is stopped by operator: looking\n +→ see serin why; /m,
    );
    expect(stopped.stdout).to.match(/\n\n1 problem: flag\n$/);
    expect(stopped.status).to.equal(1);
  });

  it("reports members that fell silent, but not those that announced a stop", async () => {
    const fleet = startFleet(test);
    await waitFor(
      "telemetry",
      async () => (await test.redis.xlen(test.keys.telemetry)) >= 4,
    );
    fleet.silent.add(fleet.proxy).add(fleet.agents.canary);
    await test.ledger.record({
      kind: "stop",
      by: "agent",
      reason: "agent stopped",
      data: { source: fleet.agents.canary },
    });
    const silent = await waitFor("the proxy to be silent", async () => {
      const { findings } = await examine({});
      return findings.find(({ says }) => says.includes("last reported"));
    });
    expect(silent.says).to.match(/^proxy@edge1:8080 last reported \d+ s ago$/);
    const { findings } = await examine({});
    const agents = findings.filter(({ check }) => check === "agent");
    expect(agents.map(({ says }) => says)).to.deep.equal([
      "agent@web1:3101 reports",
      "no agent of canary reports",
    ]);
  });

  it("ends with status 3 and checks the rest when Redis or the monitor is unreachable", async () => {
    const monitor = await startLeader(test);
    const away = await examine({
      MONITOR_URL: monitor.url,
      REDIS_URL: `redis://${NOWHERE}`,
    });
    expect(away.status).to.equal(3);
    expect(away.level("redis")).to.deep.equal(["unreachable"]);
    expect(away.level("api")).to.deep.equal(["ok"]);
    const alone = await examine({});
    expect(alone.status).to.equal(3);
    expect(alone.level("api")).to.deep.equal(["unreachable"]);
    expect(alone.level("flipping")).to.deep.equal(["ok"]);
  });

  it("reports that Redis and the monitor belong to different systems", async () => {
    const other = openTestRedis();
    const monitor = await startLeader(other);
    const env = { MONITOR_URL: monitor.url };
    const { status, findings } = await examine(env, "--send-test-mail");
    expect(status).to.equal(1);
    const { says } = findings.find(({ check }) => check === "system")!;
    expect(says).to.match(
      /^the monitor at \S+ uses another Redis or KEY_PREFIX: here no monitor leads, there monitor@\S+ leads \(epoch 1\)$/,
    );
    expect(findings.at(-1)).to.deep.include({
      check: "test mail",
      level: "problem",
      says: "its delivery cannot be checked: the monitor uses another Redis or KEY_PREFIX",
    });
  });

  it("reports members that are silent for longer than the monitor allows", async () => {
    const monitor = await startLeader(test, { SILENCE_MS: "60000" });
    const fleet = startFleet(test);
    await waitFor(
      "telemetry",
      async () => (await test.redis.xlen(test.keys.telemetry)) >= 4,
    );
    fleet.silent.add(fleet.proxy);
    const heardAt = performance.now();
    await waitFor(
      "longer than the default",
      () => performance.now() - heardAt > 5500,
    );
    expect(
      (await examine({ MONITOR_URL: monitor.url })).level("proxy"),
    ).to.deep.equal(["ok"]);
    expect((await examine({})).level("proxy")).to.deep.equal(["problem"]);
  });

  it("sends a test mail through the outbox and waits until it is accepted", async () => {
    const monitor = await startLeader(test, { ADMIN_TOKEN: "right" });
    const env = { MONITOR_URL: monitor.url };
    const sent = await examine(
      { ...env, ADMIN_TOKEN: "right" },
      "--send-test-mail",
    );
    expect(sent.findings.at(-1)).to.deep.include({
      check: "test mail",
      level: "note",
      says: "the monitor only logs its mails and sends none",
    });
    await waitFor("its log to say so", () => monitor.mails() === 1);
    expect(await test.outbox()).to.be.empty;

    const wrong = await examine(
      { ...env, ADMIN_TOKEN: "wrong" },
      "--send-test-mail",
    );
    expect(wrong.status).to.equal(4);
    expect(wrong.level("test mail")).to.deep.equal(["refused"]);
    expect(JSON.stringify(wrong.findings)).not.to.include("wrong");
    const without = await examine(env, "--send-test-mail");
    expect(without.findings.at(-1)?.says).to.include(
      "ADMIN_TOKEN is not set here",
    );
    expect(monitor.mails()).to.equal(1);
  });

  it("reports why a mail cannot be sent and waits", async () => {
    const monitor = await startLeader(test, {
      ALERT_TRANSPORT: "smtp",
      SMTP_URL: `smtp://${NOWHERE}`,
      ALERT_FROM: "serin@example.com",
      ALERT_TO: "ops@example.com",
    });
    const env = { MONITOR_URL: monitor.url };
    const { status, findings } = await examine(env, "--send-test-mail");
    expect(status).to.equal(1);
    expect(findings.at(-1)?.says).to.match(
      /^it waits in the outbox \(ALERT_TRANSPORT is smtp\); mail cannot be sent: .*ECONNREFUSED/,
    );
    const later = await examine(env);
    expect(later.findings.find(({ check }) => check === "mail")?.says).to.match(
      /^mail cannot be sent: .*ECONNREFUSED/,
    );
    const shown = await runCli(test.keys, ["status"], env);
    expect(shown.stdout).to.match(
      /^mails +1 waiting; mail cannot be sent: .*ECONNREFUSED/m,
    );
  });

  it("reports a test mail that was refused for good", async () => {
    const id = "0123456789abcdef";
    const alert = { kind: "alert", by: "monitor" } as const;
    const api = createServer((_request, response) => {
      void refuseForGood().then(() =>
        response.end(JSON.stringify({ id, transport: "ses" })),
      );
    });
    async function refuseForGood(): Promise<void> {
      await test.ledger.record({ ...alert, reason: "a test", data: { id } });
      const [told] = await test.ledger.readEvents({ limit: 1 });
      const data = { alert: "refused", event: told!.id };
      const reason = "the mail was refused 5 times: Email address not verified";
      await test.ledger.record({ ...alert, reason, data });
    }
    api.listen(0, "127.0.0.1");
    await once(api, "listening");
    onCleanup(() => void api.close());
    const { port } = api.address() as AddressInfo;
    const { status, findings } = await examine(
      { MONITOR_URL: `http://127.0.0.1:${port}` },
      "--send-test-mail",
    );
    expect(status).to.equal(3);
    expect(findings.at(-1)).to.deep.include({
      check: "test mail",
      level: "problem",
      says: "the mail was refused 5 times: Email address not verified",
    });
  });
});
