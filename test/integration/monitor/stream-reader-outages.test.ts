import { expect } from "chai";
import { startPrivateRedis } from "../../support/redis/private-redis.js";
import { writeTelemetry } from "../../../lib/telemetry/telemetry.js";
import { onCleanup } from "../../support/cleanup.js";
import { startMuteLink } from "../../support/http/mute-link.js";
import { startReading, type Reading } from "../../support/monitor/reading.js";
import { redisUrl } from "../../support/redis/redis-server.js";
import { runningTime } from "../../support/running-time.js";
import { trafficWindow } from "../../support/monitor/telemetry.js";
import {
  openTestRedis,
  type TestRedis,
} from "../../support/redis/test-redis.js";
import { waitFor } from "../../support/wait-for.js";

const untilTold = (reading: Reading, count: number) =>
  waitFor(`${count} entries`, () => reading.telemetry.length >= count);
const untilHearing = (reading: Reading) =>
  waitFor("the reader", () => reading.caughtUp.length > 0);
const warnings = (reading: Reading) =>
  reading.log.filter(({ level }) => level === "warn");

async function write({ redis, keys }: TestRedis): Promise<void> {
  const data = trafficWindow("prod", [4]);
  const window = { kind: "traffic", source: "proxy@e:1", at: 1, data } as const;
  await writeTelemetry(redis, keys, [window]);
}

describe("stream reader's outages", () => {
  it("count as a gap, after which reading continues where it was", async () => {
    const first = await startPrivateRedis();
    onCleanup(first.stop);
    const before = openTestRedis({ url: first.url });
    const reading = startReading(before.keys, { url: first.url });
    await write(before);
    await untilTold(reading, 1);
    await first.stop();
    await waitFor("the loss", () => warnings(reading).length > 0);
    const heard = reading.caughtUp.length;

    const second = await startPrivateRedis({ port: first.port });
    onCleanup(second.stop);
    await write(openTestRedis({ url: second.url, keys: before.keys }));
    await untilTold(reading, 2);
    const [since, later] = [reading.caughtUp[0], reading.caughtUp[heard]];
    expect(later!.listeningSince).to.be.above(since!.listeningSince);
    expect(reading.telemetry).to.have.length(2);
    expect(reading.gaps).to.deep.equal([heard]);
  });

  it("prevent neither start nor close", async () => {
    const gone = await startPrivateRedis();
    await gone.stop();
    const test = openTestRedis();
    const reading = startReading(test.keys, { url: gone.url });
    await waitFor("the failure", () => warnings(reading).length > 0);
    const began = runningTime();
    await reading.reader.close();
    expect(runningTime() - began).to.be.below(2500);
  });

  it("end with a new connection when the old one is dead", async () => {
    const link = await startMuteLink(Number(new URL(redisUrl()).port));
    const test = openTestRedis();
    const reading = startReading(test.keys, {
      url: `redis://127.0.0.1:${link.port}`,
      replyTimeoutMs: 1500,
    });
    await untilHearing(reading);
    link.mute();
    await write(test);
    await untilTold(reading, 1);
    // After a pause of this process, the new one may also look dead.
    expect(link.opened()).to.be.at.least(2);
  });

  it("are reported once when Redis refuses, with a few retries a second", async () => {
    // Its own Redis, because commands are counted for all clients.
    const server = await startPrivateRedis();
    onCleanup(server.stop);
    const test = openTestRedis({ url: server.url });
    await test.redis.set(test.keys.telemetry, "no stream");
    const reading = startReading(test.keys, { url: server.url });
    const tries = async () => {
      const stats = await test.redis.info("commandstats");
      return Number(/cmdstat_xread:calls=(\d+)/.exec(stats)?.[1] ?? 0);
    };
    await waitFor("the report", () => reading.gaps.length > 0);
    const before = await tries();
    const began = performance.now();
    await waitFor("a second", () => performance.now() - began > 1000);
    expect((await tries()) - before).to.be.within(1, 10);
    expect(reading.reasons).to.deep.equal([
      "telemetry cannot be read: Redis refuses: WRONGTYPE Operation against a key holding the wrong kind of value",
    ]);
    expect(reading.caughtUp).to.be.empty;
    await test.redis.del(test.keys.telemetry);
    await write(test);
    await untilTold(reading, 1);
  });
});
