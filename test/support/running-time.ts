const TICK_MS = 20;
/** What a tick counts at most: one that comes later was held up, with this process or the whole machine. */
const LONGEST_TICK_MS = 50;

let ranMs = 0;
let tickedAt: number | undefined;

/**
 * A clock for what must not take long, in ms: it stands still while this process does not get to run, and goes slower on
 * a busy machine. What must take some time at least, `performance.now()` tells.
 */
export function runningTime(): number {
  if (tickedAt === undefined) setInterval(tick, TICK_MS).unref();
  tick();
  return ranMs;
}

function tick(): void {
  const now = performance.now();
  ranMs += Math.min(now - (tickedAt ?? now), LONGEST_TICK_MS);
  tickedAt = now;
}
