import { encodeLease } from "../redis/lease.js";
import { startNamedBackend } from "../http/backend.js";
import { onCleanup } from "../cleanup.js";
import { startProxyProgram, type ProxyProgram } from "./proxy-program.js";
import type { Environment } from "./program.js";
import { connectRedis } from "../redis/redis-server.js";

export const LEASE = encodeLease("monitor@edge1:8090", 7);

/**
 * A proxy whose split deals everything to the canary, which gets it only while the lease stands that `lead` writes.
 *
 * @param start in this process unless told
 */
export async function startWatchedProxy(
  env: Environment = {},
  start: (env: Environment) => Promise<ProxyProgram> = startProxyProgram,
) {
  const prod = await startNamedBackend("prod");
  const canary = await startNamedBackend("canary");
  const proxy = await start({
    PROD_URLS: prod.url.origin,
    CANARY_URLS: canary.url.origin,
    SPLIT: "0:1",
    CANARY_LEASE: "required",
    ...env,
  });
  const redis = connectRedis(env.REDIS_URL);
  redis.on("error", () => undefined);
  onCleanup(() => redis.disconnect());
  const lead = (ms: number) => redis.set(proxy.keys.lease, LEASE, "PX", ms);
  return { proxy, redis, lead };
}
