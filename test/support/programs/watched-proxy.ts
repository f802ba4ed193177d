import { encodeLease } from "../redis/lease.js";
import { startNamedBackend } from "../http/backend.js";
import { onCleanup } from "../cleanup.js";
import { startProxyProgram } from "./proxy-program.js";
import { connectRedis } from "../redis/redis-server.js";

export const LEASE = encodeLease("monitor@edge1:8090", 7);

/** A proxy whose split deals everything to the canary, which gets it only while the lease stands that `lead` writes. */
export async function startWatchedProxy(env: Record<string, string> = {}) {
  const prod = await startNamedBackend("prod");
  const canary = await startNamedBackend("canary");
  const proxy = await startProxyProgram({
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
