import { expect } from "chai";
import { startPrivateRedis } from "../../support/redis/private-redis.js";
import { LEASE_MS } from "../../../lib/flag/lease-reading.js";
import { onCleanup } from "../../support/cleanup.js";
import { describeEngines } from "../../support/http/engines.js";
import { send } from "../../support/http/http-client.js";
import {
  canaryToBe,
  type ProxyProgram,
} from "../../support/programs/proxy-program.js";
import { runningTime } from "../../support/running-time.js";
import {
  LEASE,
  startWatchedProxy,
} from "../../support/programs/watched-proxy.js";

/** The longest that a canary without a monitor may stay open. */
const UNWATCHED_MS = 3000;

async function servedBy({ port }: ProxyProgram) {
  return (await send(port)).servedBy;
}

describeEngines("proxy with CANARY_LEASE=required", () => {
  it("sends all to prod while no monitor leads", async () => {
    const { proxy } = await startWatchedProxy();
    await canaryToBe(proxy, /^no monitor leads: there is no lease$/);
    expect(await servedBy(proxy)).to.equal("prod");
    const { lease } = await proxy.status();
    expect(lease).to.deep.equal({ required: true, freshForMs: 0 });
  });

  it("opens as soon as a monitor leads, and stays open while it renews", async () => {
    const { proxy, lead } = await startWatchedProxy();
    await canaryToBe(proxy, /no lease/);
    const ledAt = runningTime();
    await lead(10_000);
    await canaryToBe(proxy, null);
    expect(runningTime() - ledAt).to.be.below(500);
    expect(await servedBy(proxy)).to.equal("canary");
    const { lease } = await proxy.status();
    expect(lease.freshForMs).to.be.within(1, 10_000);
  });

  it("closes when the lease expires, within 3 s of its last renewal", async () => {
    const { proxy, lead } = await startWatchedProxy();
    await lead(60_000);
    await canaryToBe(proxy, null);
    const [ledAt, began] = [performance.now(), runningTime()];
    await lead(1500);
    await canaryToBe(proxy, /^no monitor leads/);
    expect(performance.now() - ledAt).to.be.at.least(1400);
    expect(runningTime() - began).to.be.below(UNWATCHED_MS);
    expect(await servedBy(proxy)).to.equal("prod");
  });

  it("closes when the lease expires even without Redis, by its own clock", async () => {
    const redis = await startPrivateRedis();
    onCleanup(() => redis.stop());
    const { proxy, lead } = await startWatchedProxy({ REDIS_URL: redis.url });
    const ledAt = runningTime();
    await lead(LEASE_MS);
    await canaryToBe(proxy, null);
    await redis.stop();
    await canaryToBe(proxy, /^no monitor leads: the lease has expired$/);
    expect(runningTime() - ledAt).to.be.below(LEASE_MS + 500);
  });

  it("closes as soon as the lease is released", async () => {
    const { proxy, redis, lead } = await startWatchedProxy();
    await lead(60_000);
    await canaryToBe(proxy, null);
    const givenUpAt = runningTime();
    await redis.del(proxy.keys.lease);
    await canaryToBe(proxy, /there is no lease/);
    expect(runningTime() - givenUpAt).to.be.below(500);
  });

  for (const [name, value] of [
    ["is not JSON", "monitor"],
    ["has no epoch", '{"holder":"monitor@edge1:8090"}'],
  ] as const) {
    it(`ignores a lease that ${name}`, async () => {
      const { proxy, redis } = await startWatchedProxy();
      await redis.set(proxy.keys.lease, value, "PX", 60_000);
      await canaryToBe(proxy, /there is no lease/);
    });
  }

  it("treats a lease without an expiry as expired", async () => {
    const { proxy, redis } = await startWatchedProxy();
    await redis.set(proxy.keys.lease, LEASE);
    await canaryToBe(proxy, /the lease has expired/);
  });

  it("names the flag first when it is false as well", async () => {
    const { proxy, redis } = await startWatchedProxy();
    await redis.set(proxy.keys.flag("feature"), "false");
    await canaryToBe(proxy, /^flag is false$/);
  });
});

describeEngines("proxy with CANARY_LEASE=optional", () => {
  it("opens without a lease", async () => {
    const { proxy } = await startWatchedProxy({ CANARY_LEASE: "optional" });
    await canaryToBe(proxy, null);
    expect((await proxy.status()).lease.required).to.be.false;
  });
});
