import { expect } from "chai";
import {
  parseTelemetry,
  writeTelemetry,
  type Telemetry,
} from "../../../lib/telemetry/telemetry.js";
import { hostSample, trafficWindow } from "../../support/monitor/telemetry.js";
import { openTestRedis } from "../../support/redis/test-redis.js";

const WINDOW: Telemetry = {
  kind: "traffic",
  source: "proxy@edge1:8080",
  at: 1_700_000_000_000.4,
  data: trafficWindow("canary", [4, 1000]),
};
const SAMPLE: Telemetry = {
  kind: "host",
  source: "agent@web1:3101",
  at: 1_700_000_000_001,
  data: hostSample("prod"),
};

describe("telemetry writing", () => {
  it("appends entries with the documented fields in order", async () => {
    const { redis, keys } = openTestRedis();
    await writeTelemetry(redis, keys, [WINDOW, SAMPLE]);
    const entries = await redis.xrange(keys.telemetry, "-", "+");
    expect(entries.map(([, fields]) => fields)).to.deep.equal([
      [
        ...["kind", "traffic", "source", "proxy@edge1:8080"],
        ...["at", "1700000000000", "data", JSON.stringify(WINDOW.data)],
      ],
      [
        ...["kind", "host", "source", "agent@web1:3101"],
        ...["at", "1700000000001", "data", JSON.stringify(SAMPLE.data)],
      ],
    ]);
    expect(parseTelemetry(entries[1]![1])).to.deep.equal(SAMPLE);
  });

  it("throws the error of a rejected write", async () => {
    const { redis, keys } = openTestRedis();
    await redis.set(keys.telemetry, "no stream");
    const failure = await writeTelemetry(redis, keys, [WINDOW]).catch(
      (err: unknown) => err,
    );
    expect(failure).to.be.instanceOf(Error).with.property("message");
    expect((failure as Error).message).to.match(/^WRONGTYPE/);
  });
});
