import { once } from "node:events";

/** Resolves when the signal has come, and holds the process until then. */
export async function whenAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  const hold = setInterval(() => undefined, 60_000);
  await once(signal, "abort");
  clearInterval(hold);
}
