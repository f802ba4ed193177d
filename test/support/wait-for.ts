import { runningTime } from "./running-time.js";

/** Most of what is waited for has happened already, or is about to. */
const PAUSE_LIMIT_MS = 10;

/**
 * Waits until `probe` returns something other than undefined, null or false, and returns that.
 *
 * @throws after `timeoutMs` (15 s unless told) in which this process could run, naming `what` and the last thing seen.
 */
export async function waitFor<T>(
  what: string,
  probe: () =>
    T | undefined | null | false | Promise<T | undefined | null | false>,
  timeoutMs = 15_000,
): Promise<T> {
  const deadline = runningTime() + timeoutMs;
  for (let pauseMs = 1; ; pauseMs = Math.min(2 * pauseMs, PAUSE_LIMIT_MS)) {
    const seen = await probe();
    if (seen !== undefined && seen !== null && seen !== false) return seen;
    if (runningTime() > deadline)
      throw new Error(
        `not within ${timeoutMs} ms: ${what} (last: ${String(seen)})`,
      );
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}
