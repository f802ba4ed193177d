import { RULES } from "../../support/monitor/verdict-traffic.js";
import { expect } from "chai";
import { ReleaseTest } from "../../../apps/monitor/verdict/release-test.js";
import { writeTelemetry } from "../../../lib/telemetry/telemetry.js";
import { runCli } from "../../support/programs/cli.js";
import { startFleet } from "../../support/monitor/fleet.js";
import { startLeader } from "../../support/programs/monitor-program.js";
import { times, trafficWindow } from "../../support/monitor/telemetry.js";
import {
  openTestRedis,
  type TestRedis,
} from "../../support/redis/test-redis.js";
import { waitFor } from "../../support/wait-for.js";

describe("serin why", () => {
  let test: TestRedis;

  beforeEach(() => {
    test = openTestRedis();
  });

  async function why(
    env: Record<string, string> = {},
    ...event: string[]
  ): Promise<string[]> {
    const args = ["why", ...event];
    const { status, stdout, stderr } = await runCli(test.keys, args, env);
    expect(stderr).to.equal("");
    expect(status).to.equal(0);
    return stdout.split("\n");
  }

  const writeWindow = (requests: number, chosen = requests) =>
    writeTelemetry(test.redis, test.keys, [
      {
        kind: "traffic",
        source: "proxy@edge1:8080",
        at: Date.now(),
        data: trafficWindow("canary", times(requests, 4), {
          windowMs: 100,
          arms: { chosen, retried: 0 },
        }),
      },
    ]);

  it("says that the ledger has no flip", async () => {
    expect(await why()).to.deep.equal([
      "feature is on: the ledger has no flip",
      "",
    ]);
  });

  it("explains the monitor's stop by the latency threshold", async () => {
    const monitor = await startLeader(test, { COOLDOWN_MS: "60000" });
    const fleet = startFleet(test);
    await waitFor("requests", async () => {
      return (await monitor.state()).sides.canary.requests > 10;
    });
    fleet.latencyMs.canary = 900;
    await waitFor("the stop", async () => !(await monitor.state()).flag.value);
    fleet.latencyMs.canary = null;
    fleet.fieldsOf = () => ({ withoutFeature: 2 });
    await waitFor("requests without the feature", async () => {
      return (await monitor.state()).sides.prod.withoutFeature! > 0;
    });
    const lines = await why({ MONITOR_URL: monitor.url });
    expect(lines[0]).to.match(/^feature is off: canary p95 \d+ ms > 500 ms /);
    const facts = lines.slice(2).join("\n");
    expect(facts).to.match(/^when +\d\d:\d\d:\d\d UTC, \d s ago$/m);
    expect(facts).to.match(/^who +monitor$/m);
    expect(facts).to.match(/^rule +the latency threshold of canary$/m);
    expect(facts).to.match(
      /^figures +quantile 0\.95, latency \d+ ms, threshold 500 ms, window 2,000 ms, requests \d+, slow \d+, waiting 0, /m,
    );
    expect(facts).to.match(/^last canary request +by \d\d:\d\d:\d\d UTC/m);
    expect(facts).to.match(
      /^next +automatic retry in (?:1:00|0:[345]\d), if the canary's probes stay healthy$/m,
    );
    expect(facts).to.match(
      /^users now +prod answers \S+ requests\/s without the feature$/m,
    );
    expect(facts).to.match(/^to resume +serin flag on --reason "…"$/m);
  });

  it("shows the last canary request and those after the flip", async () => {
    const flip = { by: "operator", reason: "r", data: {} } as const;
    const lastOf = async () =>
      (await why({}, new Date().toISOString())).find((line) =>
        line.startsWith("last canary request"),
      );
    await test.ledger.flip("feature", { ...flip, value: false });
    expect(await lastOf()).to.match(/ none in the last 20 min$/);
    await writeWindow(3, 0);
    expect(await lastOf()).to.match(
      /by \S+ UTC; 3 ended after the flip, none was sent after it$/,
    );
    await writeWindow(2);
    await test.ledger.flip("feature", { ...flip, value: true });
    expect(await lastOf()).to.match(
      /by \S+ UTC, \d\.\d s before the flip; none since$/,
    );
    const [flipped] = (await test.events()).slice(-1);
    const flippedAt = Number(flipped?.id.split("-")[0]);
    await waitFor("a window's length", () => Date.now() > flippedAt + 150);
    await writeWindow(5, 4);
    expect(await lastOf()).to.match(/by \S+ UTC; 4 were sent after the flip$/);
  });

  it("says what users met before a stop, and not what a verdict compared", async () => {
    await writeWindow(17);
    await test.ledger.flip("feature", {
      value: false,
      by: "monitor",
      reason: "canary does not serve GET /",
      data: {
        ...{ rule: "verdict", canaryRequests: 0, prodRequests: 0, failed: 0 },
      },
    });
    const lines = (await why()).join("\n");
    expect(lines).to.match(
      /^users met +17 canary requests · no user noticed · prod untouched$/m,
    );
    expect(lines).to.not.include("canary requests 0");
  });

  it("says that another version gets requests after a stop by a breaker", async () => {
    await test.ledger.flip("feature", {
      value: false,
      by: "proxy",
      reason: "the canary failed 5 requests in a row",
      data: { rule: "breaker" },
    });
    expect((await why()).join("\n")).to.match(
      /^next +no automatic retry of this version: another gets requests after\s+the\s+cool-down/m,
    );
  });

  it("has the monitor recompute a verdict, and says when it cannot", async () => {
    const verdict = {
      alpha: 0.01,
      test: new ReleaseTest({
        startedAt: 0,
        attempt: 0,
        rules: RULES,
      }).toRecord(),
      evidence: 5.2,
      notCompared: {},
    };
    await test.ledger.flip("feature", {
      value: false,
      by: "monitor",
      reason: "canary slower",
      data: { rule: "verdict", evidence: 5.2, evidenceToStop: 4.61, verdict },
    });
    const alone = (await why()).join("\n");
    expect(alone).to.match(
      /^recomputed +not available: the monitor at .* cannot/m,
    );
    expect(alone).to.match(
      /^figures +evidence 181 : 1, evidence to stop 100 : 1$/m,
    );
    const monitor = await startLeader(test);
    const lines = (await why({ MONITOR_URL: monitor.url })).join("\n");
    expect(lines).to.match(
      /^recomputed +from the ledger's counts: .+, evidence 1 : 1 \(recorded: 181 : 1; 100 : 1 stops\)$/m,
    );
  });

  it("announces the next step only while a monitor leads", async () => {
    const next = async (env: Record<string, string> = {}) =>
      (await why(env)).find((line) => line.startsWith("next"));
    const flip = { by: "monitor", reason: "canary slow" } as const;
    const nextTryAt = new Date(Date.now() + 58_000).toISOString();
    await test.ledger.flip("feature", {
      ...flip,
      value: false,
      data: { nextTryAt },
    });
    expect(await next()).to.match(
      / no monitor leads: no automatic retry until then$/,
    );
    await test.ledger.flip("feature", { ...flip, value: true, data: {} });
    expect(await next()).to.match(
      / no monitor leads: the canary is not watched$/,
    );
    const monitor = await startLeader(test);
    expect(await next({ MONITOR_URL: monitor.url })).to.match(
      / the canary gets its share, and is stopped if it goes bad$/,
    );
  });

  it("ignores the recovery of a monitor that watches another flag", async () => {
    const monitor = await startLeader(test);
    const nextTryAt = new Date(Date.now() + 58_000).toISOString();
    await test.ledger.flip("other", {
      value: false,
      by: "monitor",
      reason: "canary slow",
      data: { nextTryAt },
    });
    const lines = await why({ MONITOR_URL: monitor.url, FLAG_NAME: "other" });
    expect(lines[1]).to.equal(
      `the monitor at ${monitor.url} watches the flag feature, but FLAG_NAME here is other`,
    );
    expect(lines.join("\n")).to.match(/^next +automatic retry in 0:[345]\d/m);
  });

  it("explains the last stop, also after a retry, and any flip by its id or time", async () => {
    const stop = {
      value: false,
      by: "monitor",
      reason: "canary slow",
      data: { rule: "latency" },
      cause: "breach",
    } as const;
    const retry = {
      value: true,
      by: "monitor",
      reason: "a second try",
      data: { rule: "recovery" },
      cause: "recovery",
    } as const;
    const release = "0.2.0-20261124000747-81fd353b24";
    await test.ledger.record({
      kind: "deploy",
      by: "deploy",
      reason: "web3 runs it",
      data: { release, author: "Ann", subject: "Faster cart" },
    });
    await test.ledger.flip("feature", {
      ...stop,
      data: { ...stop.data, version: release },
    });
    const stoppedAt = Date.now();
    await waitFor("a later ms", () => Date.now() > stoppedAt + 20);
    await writeWindow(3, 0);
    const writtenAt = Date.now();
    await waitFor("a later ms", () => Date.now() > writtenAt + 20);
    await test.ledger.flip("feature", retry);
    const retriedAt = Date.now();
    await waitFor("a later ms", () => Date.now() > retriedAt + 20);
    await writeWindow(7);
    const lines = await why();
    expect(lines[0]).to.equal("feature is off: canary slow");
    expect(lines.join("\n"))
      .to.match(/^since +feature is on: a second try \(\S+ UTC\)$/m)
      .and.match(/^last canary request +by \S+ UTC; 3 ended after/m)
      .and.match(/^to stop it /m)
      .and.not.include("nevertheless");
    expect(lines.join("\n")).to.match(
      /^release +0\.2\.0-81fd353 by Ann \(Faster cart\), deployed \S+ UTC$/m,
    );
    const ids = (await test.events())
      .filter(({ kind }) => kind !== "deploy")
      .map(({ id }) => id);
    const explained = async (event: string) =>
      (await runCli(test.keys, ["why", event])).stdout.split("\n")[0];
    const now = new Date().toISOString();
    expect([
      await explained(ids[0] ?? ""),
      await explained(ids[1] ?? ""),
      await explained(ids[2] ?? ""),
      await explained(ids[3] ?? ""),
      await explained(now),
    ]).to.deep.equal([
      ...Array<string>(2).fill("feature is off: canary slow"),
      ...Array<string>(3).fill("feature is on: a second try"),
    ]);
  });

  it("says which event it cannot explain", async () => {
    await test.ledger.flip("other", {
      ...{ value: false, by: "operator", reason: "r", data: {} },
    });
    await test.ledger.record({
      ...{ kind: "alert", by: "monitor", reason: "busy", data: {} },
    });
    const [other = "", alert = ""] = (await test.events()).map(({ id }) => id);
    for (const [event, status, sentence] of [
      [other, 1, `${other} is of another flag: set FLAG_NAME to other`],
      [alert, 1, `${alert} is no flip, but of kind alert: busy`],
      ["1-1", 1, "the ledger has no event 1-1"],
      ["2020-01-01", 1, "the ledger has no flip before 2020-01-01"],
      ["soon", 2, "soon is no event: give an event's id, or the time of a"],
    ] as const) {
      const answer = await runCli(test.keys, ["why", event]);
      expect(answer.stderr, event).to.include(`serin: ${sentence}`);
      expect(answer.status, event).to.equal(status);
    }
  });

  it("explains an operator's flip, also as JSON", async () => {
    await runCli(test.keys, ["flag", "off", "--reason", "looking"]);
    const lines = (await why()).join("\n");
    expect(lines).to.match(/^who +operator \(alice@\S+\)$/m);
    expect(lines).to.match(/^rule +none: set on request$/m);
    expect(lines).to.match(
      /^next +no automatic retry: the monitor undoes only/m,
    );
    const { stdout } = await runCli(test.keys, ["why", "--json"]);
    const told = JSON.parse(stdout) as { flip: { reason: string } };
    expect(told).to.have.all.keys(
      ...["flag", "value", "flip", "canary", "recovery", "verdict", "harm"],
    );
    expect(told.flip.reason).to.equal("looking");
  });
});
