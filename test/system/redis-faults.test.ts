import { expect } from "chai";
import type { Redis } from "ioredis";
import {
  startPrivateRedis,
  type PrivateRedis,
} from "../support/redis/private-redis.js";
import { connectRedis } from "../support/redis/redis-server.js";
import { heldUpTime } from "../support/running-time.js";
import {
  untilCanaryServes,
  untilLoadIsPast,
  untilProxySees,
  untilWhole,
} from "../support/system/conditions.js";
import { call } from "../support/system/http-call.js";
import { monotonicMs } from "../support/system/monotonic.js";
import {
  NO_LATENCY_RULE,
  startLoad,
  startSystem,
} from "../support/system/start-system.js";
import type { SteadyLoad } from "../support/system/steady-load.js";
import type { System } from "../support/system/system.js";
import { waitFor } from "../support/wait-for.js";

/** The lease lives for 3 s, and the proxy asks for its state once a second. */
const BLIND_MS = 6000;
const STALL_MS = 4000;
const AFTER_STALL_MS = 3000;

describe("Redis with a fault", function () {
  this.timeout(60_000);

  let server: PrivateRedis;
  let redis: Redis;
  let system: System;
  const closers: (() => unknown)[] = [];

  before(async () => {
    server = await startPrivateRedis();
    closers.push(server.stop);
    redis = connectRedis(server.url);
    closers.push(() => redis.disconnect());
    await redis.call(
      "ACL",
      "SETUSER",
      "monitor",
      "on",
      ">pw",
      "~*",
      "&*",
      "+@all",
    );
    system = await startSystem(
      {
        redisUrl: server.url,
        env: {
          proxy: { CANARY_LEASE: "required" },
          monitor: {
            ...NO_LATENCY_RULE,
            REDIS_URL: `redis://monitor:pw@127.0.0.1:${server.port}`,
          },
        },
      },
      (close) => closers.push(close),
    );
  });

  after(async () => {
    for (const close of closers.reverse()) await close();
  });

  beforeEach(() => untilWhole(system));

  /** Waits until the canary gets no more requests, and until the monitor says why. */
  async function expectCanaryOut(load: SteadyLoad, sinceMs: number) {
    const heldUpBefore = heldUpTime();
    await untilLoadIsPast(load, sinceMs + BLIND_MS + 1000);
    const lastStartAt = await system.canaryApp.lastRequestStart();
    expect(lastStartAt - sinceMs).to.be.below(
      BLIND_MS + heldUpTime() - heldUpBefore,
    );
    expect((await system.proxyStatus()).canary.open).to.equal(false);
    const ready = await call({ port: system.monitor.port, path: "/readyz" });
    expect(ready.status).to.equal(503);
    return ready.body;
  }

  async function expectCanaryBack(load: SteadyLoad) {
    await untilCanaryServes(load, monotonicMs());
    await load.stop();
    expect(load.failures).to.deep.equal([]);
  }

  it("keeps the canary out while it is full", async () => {
    const load = startLoad(system);
    await untilCanaryServes(load);
    await redis.config("SET", "maxmemory", "1");
    expect(await expectCanaryOut(load, monotonicMs())).to.include("OOM");
    await redis.config("SET", "maxmemory", "0");
    await expectCanaryBack(load);
  });

  for (const right of ["xread", "eval"])
    it(`keeps the canary out while the monitor has no right to ${right}`, async () => {
      const load = startLoad(system);
      await untilCanaryServes(load);
      await redis.call("ACL", "SETUSER", "monitor", `-${right}`);
      const why = await expectCanaryOut(load, monotonicMs());
      expect(why).to.match(/NOPERM|no permissions/i);
      await redis.call("ACL", "SETUSER", "monitor", "+@all");
      await expectCanaryBack(load);
    });

  it("costs a healthy canary no more than a stall of four seconds", async () => {
    const load = startLoad(system);
    const storing = startLoad(system, { path: "/get/colour", perSecond: 15 });
    await untilCanaryServes(storing);
    const flips = (await system.events("flip")).length;
    process.kill(server.pid, "SIGSTOP");
    const stalledAt = monotonicMs();
    await untilLoadIsPast(load, stalledAt + STALL_MS);
    process.kill(server.pid, "SIGCONT");
    const wokenAt = monotonicMs();
    await untilCanaryServes(load, wokenAt);
    const heldUpBefore = heldUpTime();
    const servedAt = load.byCanary.find(({ dueAt }) => dueAt > wokenAt)!.dueAt;
    expect(servedAt - wokenAt).to.be.below(
      AFTER_STALL_MS + heldUpTime() - heldUpBefore,
    );
    await untilLoadIsPast(load, wokenAt + 2 * AFTER_STALL_MS);
    expect(await system.events("flip")).to.have.length(flips);
    await untilCanaryServes(load, monotonicMs());
  });

  it("leaves a canary out that an operator has stopped, although all keys are lost", async () => {
    await system.setFlag(false);
    await untilProxySees(system, false);
    await redis.flushall();
    const flip = await waitFor("the flag to be written back", async () =>
      (await system.events("flip")).at(-1),
    );
    expect(flip.reason).to.match(/^Redis has lost .*value was written back$/);
    expect(await redis.get(system.keys.flag("feature"))).to.equal("false");
    const { flag, canary } = await system.proxyStatus();
    expect({ value: flag.value, open: canary.open }).to.deep.equal({
      value: false,
      open: false,
    });
  });
});
