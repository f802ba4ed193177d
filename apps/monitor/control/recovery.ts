import * as z from "zod";
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
});

/**
 * The memory of the monitor's own flips, stored in Redis beside the flag; times in ms by Redis's clock. Any other author's
 * flip clears it.
 *
 * States: open → (breach) → cooling down → (cool-down over, probes healthy) → open, and so on. Each further breach
 * doubles the cool-down, up to an hour; the third within an hour latches the flag off. An hour without a breach forgets
 * the streak.
 */
export type RecoveryState = z.infer<typeof stored>;

/** Null if there is none, or it cannot be parsed. */
export function parseRecovery(raw: string | null): RecoveryState | null {
  const parsed = stored.safeParse(parseJson(raw));
  return parsed.success ? parsed.data : null;
}

export function afterBreach(
  previous: RecoveryState | null,
  rule: RecoveryRule,
  now: number,
): RecoveryState {
  const recoveredAt = previous?.recoveredAt ?? null;
  const hasHealed = recoveredAt !== null && now - recoveredAt >= HOUR_MS;
  const breaches = [...(hasHealed ? [] : (previous?.breaches ?? [])), now];
  const recent = breaches.filter((at) => now - at < HOUR_MS);
  return {
    breaches: breaches.slice(-20),
    cooldownMs: Math.min(
      rule.cooldownMs * 2 ** Math.min(breaches.length - 1, 30),
      Math.max(HOUR_MS, rule.cooldownMs),
    ),
    recoveredAt: null,
    latched: rule.mode === "auto" && recent.length >= BREACHES_TO_LATCH,
  };
}

export function afterRecovery(
  state: RecoveryState,
  now: number,
): RecoveryState {
  return { ...state, recoveredAt: now };
}

export interface RecoveryFacts {
  /** The flag is false by the monitor's own flip. */
  isOwnFlip: boolean;
  state: RecoveryState | null;
  /** The last failure of a canary's probe; null if there was none, undefined without any probe. */
  lastUnhealthyAt: number | null | undefined;
  isProdInBreach: boolean;
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
  const { isOwnFlip, state, lastUnhealthyAt } = facts;
  const never = (waitsFor: string | null): RecoveryDecision => ({
    isDue: false,
    nextTryAt: null,
    waitsFor,
  });
  if (!isOwnFlip) return never(null);
  if (rule.mode === "manual") return never("a person: RECOVERY is manual");
  if (state === null)
    return never("a person: the record of the breach is lost");
  if (state.latched)
    return never("a person: it was the third breach within an hour");

  const flippedAt = state.breaches.at(-1) ?? now;
  const nextTryAt =
    Math.max(flippedAt, lastUnhealthyAt ?? 0) + state.cooldownMs;
  const wait = (waitsFor: string): RecoveryDecision => ({
    isDue: false,
    nextTryAt,
    waitsFor,
  });
  if (now < nextTryAt) return wait("the cool-down");
  if (lastUnhealthyAt === undefined)
    return wait("a probe of the canary: no agent is reporting");
  if (facts.isProdInBreach) return wait("prod, which is in breach itself");
  return { isDue: true, nextTryAt, waitsFor: null };
}
