import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { parseJson } from "../../lib/redis/stream-entry.js";
import { fetchText } from "./processes/http-probe.js";

const PATIENCE_MS = 5000;
const INTERVAL_MS = 100;

const proxyStatus = z.object({
  split: z.string(),
  canary: z.object({ open: z.boolean(), because: z.string().nullable() }),
});

export type ProxyStatus = z.infer<typeof proxyStatus>;

/**
 * Waits for the canary to get its traffic, which takes a leading monitor and a confirmed flag. After five seconds
 * something else holds it back, and what the proxy says then stands.
 */
export async function waitForCanary(
  statusUrl: string,
  signal: AbortSignal,
): Promise<ProxyStatus | undefined> {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    const text = await fetchText(statusUrl);
    const status = proxyStatus.safeParse(parseJson(text)).data;
    if (status?.canary.open === true || performance.now() > deadline)
      return status;
    await sleep(INTERVAL_MS, undefined, { signal });
  }
}
