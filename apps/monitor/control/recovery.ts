import * as z from "zod";
import { ANOTHER_VERSION, COOL_DOWN } from "../../../lib/wording/headline.js";
import { parseJson } from "../../../lib/redis/stream-entry.js";
import type { RecoveryRule } from "../config.js";

const HOUR_MS = 3_600_000;
const BREACHES_TO_LATCH = 3;

const stored = z.object({
  /** The times of this streak's breaches. */
  breaches: z.array(z.number()),
  cooldownMs: z.number(),
  /** The time of the last recovery in this streak. */
  recoveredAt: z.number().nullable(),
  latched: z.boolean(),
  /** What stopped the canary last. */
  rule: z.enum(["latency", "verdict", "breaker"]).default("latency"),
  /** The canary's versions then. */
  versions: z.array(z.string()).default([]),
});

/**
 * The memory of the monitor's own flips, stored in Redis beside the flag; times in ms by Redis's clock. Any other author's
 * flip clears it.
 *
 * States: open → (breach) → cooling down → (cool-down over, probes healthy) → open, and so on. Each further breach
 * doubles the cool-down, up to an hour; the third within an hour latches the flag off. An hour without a breach, or another
 * version of the canary, forgets the streak. Only a stop by the latency rule is followed by a second try of the same
 * version: one that the verdict or the breaker stopped stays out until another version comes.
 */
export type RecoveryState = z.infer<typeof stored>;

/** Null if there is none, or it cannot be parsed. */
export function parseRecovery(raw: string | null): RecoveryState | null {
  const parsed = stored.safeParse(parseJson(raw));
  return parsed.success ? parsed.data : null;
}

export function afterBreach(
  previous: RecoveryState | null,
  { mode, ...rule }: RecoveryRule,
  stop: Pick<RecoveryState, "rule" | "versions"> & { now: number },
): RecoveryState {
  const { now, versions } = stop;
  const streak = countTries(previous, versions, now) > 1 ? previous : null;
  const breaches = [...(streak?.breaches ?? []), now];
  const recent = breaches.filter((at) => now - at < HOUR_MS);
  return {
    breaches: breaches.slice(-20),
    cooldownMs: Math.min(
      rule.cooldownMs * 2 ** Math.min(breaches.length - 1, 30),
      Math.max(HOUR_MS, rule.cooldownMs),
    ),
    recoveredAt: null,
    latched: mode === "auto" && recent.length >= BREACHES_TO_LATCH,
    rule: stop.rule,
    versions,
  };
}

export function afterRecovery(
  state: RecoveryState,
  now: number,
): RecoveryState {
  return { ...state, recoveredAt: now };
}

/** 1 for the first try of the canary's version; 2 after the first stop and recovery, and so on. */
export function countTries(
  state: RecoveryState | null,
  versions: readonly string[],
  now: number,
): number {
  const { breaches = [], recoveredAt = null } = state ?? {};
  const isOver = recoveredAt !== null && now - recoveredAt >= HOUR_MS;
  return isOver || isOther(state, versions) ? 1 : breaches.length + 1;
}

/** Whether all of the canary's versions came after the stop. */
function isOther(
  state: RecoveryState | null,
  versions: readonly string[],
): boolean {
  const stopped = state?.versions ?? [];
  if (stopped.length === 0 || versions.length === 0) return false;
  return !versions.some((version) => stopped.includes(version));
}

export interface RecoveryFacts {
  /** The flag is false by the monitor's own flip. */
  isOwnFlip: boolean;
  state: RecoveryState | null;
  /** The last failure of a canary's probe; null if there was none, undefined without any probe. */
  lastUnhealthyAt: number | null | undefined;
  /** Which canary is not healthy now; undefined if all are. */
  unwell: string | undefined;
  isProdInBreach: boolean;
  /** The canary's versions; empty if unknown. */
  versions: readonly string[];
  /** When a new release was last announced; 0 if never. */
  releasedAt: number;
  /** The id of the rollout that this stop has aborted. */
  aborted?: string | undefined;
}

export interface RecoveryDecision {
  isDue: boolean;
  /** ms since the epoch; null when the monitor will not try. */
  nextTryAt: number | null;
  /** In words; null when there is nothing to recover. */
  waitsFor: string | null;
}

/** Whether to resume the canary. A failing probe restarts the cool-down. */
export function decideRecovery(
  facts: RecoveryFacts,
  rule: RecoveryRule,
  now: number,
): RecoveryDecision {
  const { isOwnFlip, state, lastUnhealthyAt, versions } = facts;
  const never = (waitsFor: string | null): RecoveryDecision => ({
    isDue: false,
    nextTryAt: null,
    waitsFor,
  });
  if (!isOwnFlip) return never(null);
  if (facts.aborted !== undefined)
    return never(
      `a person: rollout ${facts.aborted} is aborted (serin rollout retry)`,
    );
  if (rule.mode === "manual") return never("a person: RECOVERY is manual");
  if (state === null)
    return never("a person: the record of the breach is lost");
  if (state.latched)
    return never("a person: it was the third breach within an hour");
  const stoppedAt = state.breaches.at(-1) ?? now;
  const isReleased = facts.releasedAt > stoppedAt;
  if (state.rule !== "latency" && !isReleased && !isOther(state, versions))
    return never(ANOTHER_VERSION);

  const nextTryAt =
    Math.max(stoppedAt, lastUnhealthyAt ?? 0) + state.cooldownMs;
  const wait = (waitsFor: string): RecoveryDecision => ({
    isDue: false,
    nextTryAt,
    waitsFor,
  });
  if (facts.unwell !== undefined) return wait(facts.unwell);
  if (now < nextTryAt) return wait(COOL_DOWN);
  if (lastUnhealthyAt === undefined)
    return wait("a probe of the canary: no agent is reporting");
  if (facts.isProdInBreach) return wait("prod, which is in breach itself");
  return { isDue: true, nextTryAt, waitsFor: null };
}
