import { expect } from "chai";
import type { LedgerEvent } from "../../../lib/flag/ledger.js";
import { readHarm } from "../../../lib/telemetry/harm.js";
import { writeTelemetry } from "../../../lib/telemetry/telemetry.js";
import { times, trafficWindow } from "../../support/monitor/telemetry.js";
import {
  openTestRedis,
  type TestRedis,
} from "../../support/redis/test-redis.js";
import { waitFor } from "../../support/wait-for.js";

describe("the harm before a stop", () => {
  let test: TestRedis;

  beforeEach(() => {
    test = openTestRedis();
  });

  async function write(requests: number, waiting = 0): Promise<void> {
    await writeTelemetry(test.redis, test.keys, [
      {
        kind: "traffic",
        source: "proxy@edge1:8080",
        at: Date.now(),
        data: trafficWindow("canary", times(requests, 900), {
          arms: { chosen: requests, retried: 0 },
          ...(waiting > 0 && { waiting: [[1, waiting]] }),
        }),
      },
    ]);
    await nextMs();
  }

  /** So that ids of the telemetry and of the ledger have an order. */
  async function nextMs(): Promise<void> {
    const now = Date.now();
    await waitFor("a later ms", () => Date.now() > now + 5);
  }

  async function flip(value: boolean): Promise<LedgerEvent> {
    const change = { by: "monitor", reason: "r", data: {} } as const;
    await test.ledger.flip("feature", { ...change, value });
    await nextMs();
    const [event] = await test.ledger.readEvents({ kind: "flip", limit: 1 });
    return event!;
  }

  it("is that since the last resume, until the next", async () => {
    await write(100);
    await flip(false);
    await flip(true);
    await write(3);
    const stop = await flip(false);
    await write(2);
    await flip(true);
    await write(100);
    expect(await readHarm(test, stop)).to.deep.equal({
      ...{ requests: 5, waited: 5, failed: 0, rescued: 0, prodFailed: 0 },
      inMs: undefined,
    });
  });

  it("includes requests that still wait when the canary is stopped", async () => {
    await write(3, 1);
    const stop = await flip(false);
    const reading = readHarm(test, stop, { patienceMs: 60_000 });
    await write(4);
    expect((await reading)?.requests).to.equal(7);
  });

  it("is unknown without telemetry", async () => {
    const stop = await flip(false);
    expect(await readHarm(test, stop)).to.equal(undefined);
  });
});
