import { expect } from "chai";
import {
  writeTelemetry,
  type Telemetry,
} from "../../../lib/telemetry/telemetry.js";
import { startReading, type Reading } from "../../support/monitor/reading.js";
import { runningTime } from "../../support/running-time.js";
import {
  hostSample,
  times,
  trafficWindow,
} from "../../support/monitor/telemetry.js";
import {
  openTestRedis,
  type TestRedis,
} from "../../support/redis/test-redis.js";
import { waitFor } from "../../support/wait-for.js";

const WINDOW: Telemetry = {
  kind: "traffic",
  source: "proxy@edge1:8080",
  at: 1_700_000_000_000,
  data: trafficWindow("canary", [4, 1000]),
};
const SAMPLE: Telemetry = {
  kind: "host",
  source: "agent@web1:3101",
  at: 1_700_000_000_000,
  data: hostSample("canary"),
};

const untilTold = (reading: Reading, count: number) =>
  waitFor(`${count} entries`, () => reading.telemetry.length >= count);

/** Waits until it has caught up. */
async function untilCaughtUp(reading: Reading): Promise<void> {
  const before = reading.caughtUp.length;
  await waitFor("the reader", () => reading.caughtUp.length > before + 1);
}

describe("stream reader", () => {
  let test: TestRedis;
  const write = (...telemetry: Telemetry[]) =>
    writeTelemetry(test.redis, test.keys, telemetry);
  const redisNow = async () => {
    const [seconds, microseconds] = await test.redis.time();
    return Number(seconds) * 1000 + Number(microseconds) / 1000;
  };

  beforeEach(() => {
    test = openTestRedis();
  });

  it("reports telemetry with Redis's time instead of the writer's", async () => {
    const reading = startReading(test.keys);
    await untilCaughtUp(reading);
    await write(WINDOW, SAMPLE);
    await untilTold(reading, 2);
    expect(reading.telemetry.map(({ telemetry }) => telemetry)).to.deep.equal([
      WINDOW,
      SAMPLE,
    ]);
    expect(reading.telemetry[0]!.atMs).to.be.closeTo(await redisNow(), 5000);
  });

  it("still catches up after Redis’s clock was set back", async () => {
    let setBackMs = 0;
    const redisNow = () => Date.now() - setBackMs;
    const reading = startReading(test.keys, { redisNow });
    await untilCaughtUp(reading);
    setBackMs = 3_600_000;
    await untilCaughtUp(reading);
    const { heardUntil, listeningSince } = reading.caughtUp.at(-1)!;
    expect(heardUntil).to.be.below(Date.now() - 3_000_000);
    expect(listeningSince).to.be.at.most(heardUntil);
    await write(WINDOW);
    await waitFor("a window", () => reading.telemetry.length > 0);
    // Its id has the time before the change of the clock.
    expect(reading.telemetry[0]!.atMs).to.be.closeTo(redisNow(), 60_000);
  });

  it("reports the ledger's events", async () => {
    const reading = startReading(test.keys);
    const stop = { kind: "stop", by: "proxy", reason: "r", data: {} } as const;
    await test.ledger.record(stop);
    await waitFor("the event", () => reading.events.length === 1);
    expect(reading.events[0]?.event).to.deep.include(stop);
  });

  it("distinguishes events before and after its start", async () => {
    const startedAt = performance.now();
    const now = Date.now();
    for (const at of [now - 60_000, now + 1000]) {
      const event = ["kind", "stop", "by", "proxy", "reason", "r"];
      const fields = [...event, "at", new Date(at).toISOString(), "data", "{}"];
      await test.redis.xadd(test.keys.events, `${at}-0`, ...fields);
    }
    // Both are older than the reader.
    const reading = startReading(test.keys, { startedAt });
    await waitFor("the events", () => reading.events.length === 2);
    expect(reading.events.map(({ isNew }) => isNew)).to.deep.equal([
      false,
      true,
    ]);
  });

  it("reports its position about once a second, even without entries", async () => {
    const reading = startReading(test.keys);
    await waitFor("some readings", () => reading.caughtUp.length >= 6);
    const [first, second] = reading.caughtUp;
    expect(first!.listeningSince).to.be.closeTo(await redisNow(), 20_000);
    expect(second!.listeningSince).to.equal(first!.listeningSince);
    const steps = reading.caughtUp
      // The first read does not wait.
      .slice(2)
      .map(
        ({ heardUntil }, i) => heardUntil - reading.caughtUp[i + 1]!.heardUntil,
      )
      .sort((a, b) => a - b);
    // A busy machine may delay one of them.
    expect(steps[0]).to.be.at.least(900);
    expect(steps.at(-2)).to.be.below(3000);
  });

  it("starts with the last 15 minutes", async () => {
    const now = await redisNow();
    const enter = (agoMs: number) =>
      test.redis.xadd(
        test.keys.telemetry,
        `${Math.round(now - agoMs)}-1`,
        ...["kind", "traffic", "source", `proxy@${agoMs}`, "at", "1"],
        ...["data", JSON.stringify(WINDOW.data)],
      );
    await enter(930_000);
    await enter(870_000);
    await enter(10_000);
    const reading = startReading(test.keys);
    await untilCaughtUp(reading);
    expect(
      reading.telemetry.map(({ telemetry }) => telemetry.source),
    ).to.deep.equal(["proxy@870000", "proxy@10000"]);
  });

  it("reads in batches, and reports only its actual position", async () => {
    await write(...times(2500, WINDOW));
    const reading = startReading(test.keys);
    await untilTold(reading, 2500);
    await untilCaughtUp(reading);
    expect(reading.telemetry).to.have.length(2500);
    const told = reading.caughtUp.slice(0, 3).map((at) => at.told);
    expect(told).to.deep.equal([1000, 2000, 2500]);
    for (const { heardUntil, told: count } of reading.caughtUp.slice(0, 2))
      expect(heardUntil).to.equal(reading.telemetry[count - 1]!.atMs);
  });

  it("skips and counts unreadable telemetry, and logs the first", async () => {
    const reading = startReading(test.keys);
    await test.redis.xadd(test.keys.telemetry, "*", "party", "yes");
    await write(WINDOW);
    await test.redis.xadd(test.keys.telemetry, "*", "kind", "host");
    await test.redis.xadd(test.keys.telemetry, "*", "data", "{");
    await write(SAMPLE);
    await untilTold(reading, 2);
    expect(reading.reader.skipped).to.equal(3);
    const warnings = reading.log.filter(({ level }) => level === "warn");
    expect(warnings).to.have.length(1);
    expect(warnings[0]!.message).to.match(/^a telemetry entry was skipped/);
    expect(warnings[0]!.data).to.have.property("problem", "data is not JSON");
  });

  it("skips unreadable events without logging", async () => {
    const reading = startReading(test.keys);
    await test.redis.xadd(test.keys.events, "*", "party", "yes");
    await test.ledger.record({ kind: "stop", by: "p", reason: "r", data: {} });
    await waitFor("the event", () => reading.events.length === 1);
    expect(reading.log).to.be.empty;
  });

  it("closes at once while it waits, and may be closed twice", async () => {
    const reading = startReading(test.keys);
    await untilCaughtUp(reading);
    const began = runningTime();
    await reading.reader.close();
    await reading.reader.close();
    expect(runningTime() - began).to.be.below(900);
  });
});
