import { runningTime } from "./running-time.js";

/** Short, because most conditions already hold or soon will. */
const PAUSE_LIMIT_MS = 10;

/**
 * Waits until `probe` returns a value other than undefined, null and false, and returns it.
 *
 * @throws after `timeoutMs` of running time, naming `what` and the last value
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
