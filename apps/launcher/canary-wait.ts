import { setTimeout as sleep } from "node:timers/promises";
import * as z from "zod";
import { parseJson } from "../../lib/redis/stream-entry.js";
import { fetchText } from "./processes/http-probe.js";

const TIMEOUT_MS = 5000;
const INTERVAL_MS = 100;

const canaryStatus = z.object({
  split: z.string(),
  canary: z.object({ open: z.boolean(), because: z.string().nullable() }),
});

export type CanaryStatus = z.infer<typeof canaryStatus>;

/**
 * Waits until the proxy opens the canary, which takes a leading monitor and a confirmed flag. After five seconds it returns
 * the proxy's status as it is.
 */
export async function waitForCanary(
  statusUrl: string,
  signal: AbortSignal,
): Promise<CanaryStatus | undefined> {
  const deadline = performance.now() + TIMEOUT_MS;
  for (;;) {
    const text = await fetchText(statusUrl);
    const status = canaryStatus.safeParse(parseJson(text)).data;
    if (status?.canary.open === true || performance.now() > deadline)
      return status;
    await sleep(INTERVAL_MS, undefined, { signal });
  }
}
