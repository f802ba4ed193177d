import { expect } from "chai";
import { TelemetryTrimmer } from "../../../apps/monitor/leader/telemetry-trimmer.js";
import { onCleanup } from "../../support/cleanup.js";
import { createMemoryLogger } from "../../support/logger.js";
import {
  openTestRedis,
  type TestRedis,
} from "../../support/redis/test-redis.js";
import { waitFor } from "../../support/wait-for.js";

const NOW = 1_700_000_000_000;

describe("telemetry trimmer", () => {
  let test: TestRedis;

  /** An entry for each second of the last half hour, and a running trimmer. */
  async function trim(fence: string | undefined) {
    test = openTestRedis();
    const pipeline = test.redis.pipeline();
    for (let second = 1800; second > 0; second--)
      pipeline.xadd(test.keys.telemetry, `${NOW - second * 1000}-0`, "a", "b");
    await pipeline.exec();
    let looks = 0;
    const redisNow = () => {
      looks += 1;
      return NOW;
    };
    const trimmer = new TelemetryTrimmer({
      redis: test.redis,
      keys: test.keys,
      leadership: { fence, redisNow },
      logger: createMemoryLogger(),
      intervalMs: 10,
    });
    onCleanup(() => trimmer.close());
    await waitFor("a few turns", () => looks > 3);
  }

  it("removes entries older than 20 minutes, except for part of a block", async () => {
    await trim("fence");
    const kept = await waitFor("the trimming", async () => {
      const length = await test.redis.xlen(test.keys.telemetry);
      return length < 1800 && length;
    });
    expect(kept).to.be.within(1200, 1300);
    const [newest] = await test.redis.xrevrange(
      test.keys.telemetry,
      "+",
      "-",
      "COUNT",
      1,
    );
    expect(newest?.[0]).to.equal(`${NOW - 1000}-0`);
  });

  it("removes nothing while another monitor leads", async () => {
    await trim(undefined);
    // Redis answers a connection in order, so a trimming would be done by now.
    expect(await test.redis.xlen(test.keys.telemetry)).to.equal(1800);
  });
});
