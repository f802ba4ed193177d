import { expect } from "chai";
import { startPrivateRedis } from "../../apps/launcher/private-redis.js";
import { encodeLease } from "../../lib/lease-reading.js";
import { startNamedBackend } from "../support/backend.js";
import { onCleanup } from "../support/cleanup.js";
import { canaryToBe } from "../support/proxy-program.js";
import { connectRedis } from "../support/redis-server.js";
import { waitFor } from "../support/wait-for.js";
import {
  canHaveSeveral,
  sendInTurn,
  startUnopenedProxy,
} from "../support/workers/several-workers.js";

const LEASE = encodeLease("monitor@edge1:8090", 7);
const LONG_MS = 60_000;
/** On connections of their own, which the system spreads: some for each worker. */
const REQUESTS = 20;

/** All that the canary gets is by the lease: the split deals everything to it, and the flag does not grow stale. */
async function startWatched(env: Record<string, string> = {}) {
  const prod = await startNamedBackend("prod");
  const canary = await startNamedBackend("canary");
  const proxy = await startUnopenedProxy({
    PROD_URLS: prod.url.origin,
    CANARY_URLS: canary.url.origin,
    SPLIT: "0:1",
    CANARY_LEASE: "required",
    FLAG_STALE_MS: String(LONG_MS),
    ...env,
  });
  const redis = connectRedis(env.REDIS_URL);
  redis.on("error", () => undefined);
  onCleanup(() => redis.disconnect());
  const lead = (ms: number) => redis.set(proxy.keys.lease, LEASE, "PX", ms);
  const servedBy = async () => [
    ...new Set(await sendInTurn(proxy.port, REQUESTS)),
  ];
  return { proxy, redis, lead, servedBy };
}

function lease(this: Mocha.Suite) {
  this.timeout(60_000);

  it("has every worker withhold the canary once the lease has ended, and give it again at the next one", async () => {
    const { proxy, redis, lead, servedBy } = await startWatched();
    await canaryToBe(proxy, /there is no lease/);
    expect(await servedBy()).to.deep.equal(["prod"]);
    await lead(LONG_MS);
    await canaryToBe(proxy, null);
    expect(await servedBy()).to.deep.equal(["canary"]);
    await redis.pexpire(proxy.keys.lease, 500);
    await canaryToBe(proxy, /^no monitor leads/);
    expect(await servedBy()).to.deep.equal(["prod"]);
    await lead(LONG_MS);
    await canaryToBe(proxy, null);
    expect(await servedBy()).to.deep.equal(["canary"]);
  });

  it("has every worker withhold it by its own clock when Redis goes with the leader, and give it again when both are back", async () => {
    const first = await startPrivateRedis();
    onCleanup(() => first.stop());
    const { proxy, lead, servedBy } = await startWatched({
      REDIS_URL: first.url,
    });
    await waitFor("the canary to be open", async () => {
      await lead(3000);
      return (await proxy.status()).canary.open;
    });
    await first.stop();
    await canaryToBe(proxy, /^no monitor leads: the lease has expired$/);
    expect(await servedBy()).to.deep.equal(["prod"]);
    const second = await startPrivateRedis({ port: first.port });
    onCleanup(() => second.stop());
    await lead(LONG_MS);
    await canaryToBe(proxy, null);
    expect(await servedBy()).to.deep.equal(["canary"]);
  });
}

if (canHaveSeveral)
  describe("proxy with several workers and CANARY_LEASE=required", lease);
