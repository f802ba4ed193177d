const TICK_MS = 20;
/** What a tick counts at most: one that comes later was held up, with this process or the whole machine. */
const LONGEST_TICK_MS = 50;

let heldUpMs = 0;
let tickedAt: number | undefined;

/**
 * A clock for what must not take long, in ms: it stands still while this process does not get to run, and goes slower on
 * a busy machine. What must take some time at least, `performance.now()` tells.
 */
export function runningTime(): number {
  return performance.now() - heldUpTime();
}

/** By how much that clock is behind the real one, in ms: a machine that stalls holds up whoever is tested as well. */
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
