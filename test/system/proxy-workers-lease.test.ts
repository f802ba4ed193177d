import { expect } from "chai";
import { startPrivateRedis } from "../support/redis/private-redis.js";
import { onCleanup } from "../support/cleanup.js";
import {
  canaryToBe,
  spawnProxyProgram,
} from "../support/programs/proxy-program.js";
import { waitFor } from "../support/wait-for.js";
import { startWatchedProxy } from "../support/programs/watched-proxy.js";
import {
  canHaveSeveral,
  sendInTurn,
} from "../support/workers/several-workers.js";

const LONG_MS = 60_000;
/** On connections of their own, which the system spreads: some for each worker. */
const REQUESTS = 20;

/** Two workers, and a flag that does not grow stale: all that the canary gets is by the lease. */
async function startWatched(env: Record<string, string> = {}) {
  const settings = { WORKERS: "2", FLAG_STALE_MS: String(LONG_MS), ...env };
  const watched = await startWatchedProxy(settings, spawnProxyProgram);
  const servedBy = async () => [
    ...new Set(await sendInTurn(watched.proxy.port, REQUESTS)),
  ];
  return { ...watched, servedBy };
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
