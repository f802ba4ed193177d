import type { HostSample } from "../../../lib/telemetry/telemetry.js";

/** A single failing sample may be chance. */
const MIN_SAMPLES = 2;

export type HealthAlert = "gone" | "probe";

interface Run {
  since: number;
  samples: number;
}

/** The time since an app's last healthy sample. Times in ms by Redis's clock. */
export interface HealthSpell extends Run {
  /** The current run of samples without the app. */
  gone: Run | undefined;
  /** The alerts that have lasted for the delay. */
  lasting: readonly HealthAlert[];
}

/**
 * Adds the next sample; undefined if it is healthy.
 *
 * A restart is a short spell and raises no alert. An alert lasts until the app is healthy, because an app that crashes in
 * a loop alternates between gone and failing: it must raise one alert, not one at each change.
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
