import type { HostSample } from "../../../lib/telemetry/telemetry.js";

/** One failing sample may be chance; a spell has at least so many before it is told of. */
const MIN_SAMPLES = 2;

export type HealthAlert = "gone" | "probe";

interface Run {
  since: number;
  samples: number;
}

/** How long an app has been without one healthy sample. Times in ms by Redis's clock. */
export interface HealthSpell extends Run {
  /** The current run of samples without the app. */
  gone: Run | undefined;
  /** What has lasted for long enough to tell of it. */
  lasting: readonly HealthAlert[];
}

/**
 * Takes the next sample into account; undefined while all is well.
 *
 * A restart is a short spell, and nobody is told of it. What has lasted stands until the app is healthy: one that crashes
 * in a loop is gone and failing by turns, and must neither stay unnoticed nor be told of at every turn.
 */
export function advanceSpell(
  spell: HealthSpell | undefined,
  sample: Pick<HostSample, "up" | "probe">,
  rule: { now: number; delayMs: number },
): HealthSpell | undefined {
  if (sample.up && sample.probe.ok) return undefined;
  const { now, delayMs } = rule;
  const run = extend(spell, now);
  const gone = sample.up ? undefined : extend(spell?.gone, now);
  const isLasting = ({ since, samples }: Run) =>
    samples >= MIN_SAMPLES && now - since >= delayMs;
  const lasting = new Set(spell?.lasting);
  if (lasting.size === 0 && isLasting(run))
    lasting.add(gone === undefined ? "probe" : "gone");
  if (gone !== undefined && isLasting(gone)) lasting.add("gone");
  return { ...run, gone, lasting: [...lasting] };
}

function extend(run: Run | undefined, now: number): Run {
  return { since: run?.since ?? now, samples: (run?.samples ?? 0) + 1 };
}
