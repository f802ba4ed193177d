const TICK_MS = 20;
/** The most that a tick counts. A later one was delayed by this process or the whole machine. */
const LONGEST_TICK_MS = 50;

let heldUpMs = 0;
let tickedAt: number | undefined;

/**
 * A clock for upper limits, in ms. It stops while this process does not run, and is slower on a busy machine. Use
 * `performance.now()` for lower limits.
 */
export function runningTime(): number {
  return performance.now() - heldUpTime();
}

/** How far that clock is behind the real one, in ms. A stall of the machine delays the tested program too. */
export function heldUpTime(): number {
  if (tickedAt === undefined) setInterval(tick, TICK_MS).unref();
  tick();
  return heldUpMs;
}

function tick(): void {
  const now = performance.now();
  heldUpMs += Math.max(0, now - (tickedAt ?? now) - LONGEST_TICK_MS);
  tickedAt = now;
}
