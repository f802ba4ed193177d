import * as z from "zod";
import { parseJson } from "../../../lib/redis/stream-entry.js";
import type { RecoveryRule } from "../config.js";

const HOUR_MS = 3_600_000;
const BREACHES_TO_LATCH = 3;

const stored = z.object({
  /** When each breach of this streak flipped the flag. */
  breaches: z.array(z.number()),
  cooldownMs: z.number(),
  /** When the monitor last let the canary back in during this streak. */
  recoveredAt: z.number().nullable(),
  latched: z.boolean(),
});

/**
 * What the monitor remembers of its own flips, kept in Redis beside the flag; times in ms by Redis's clock. It ends with
 * anybody else's flip: a person who acts starts afresh.
 *
 * States: open → (breach) → cooling down → (cool-down over, probes healthy) → open, and so on. Each further breach
 * doubles the cool-down, up to an hour; the third within an hour latches the flag off. An hour without a breach forgets
 * the streak.
 */
export type RecoveryState = z.infer<typeof stored>;

/** Null when there is none, or none that can be read. */
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
  /** The flag is false and the monitor's own flip made it so. */
  isOwnFlip: boolean;
  state: RecoveryState | null;
  /** When the canary's probes were last seen failing; null when they have been healthy, undefined without any probe. */
  lastUnhealthyAt: number | null | undefined;
  isProdInBreach: boolean;
}

export interface RecoveryDecision {
  isDue: boolean;
  /** ms since the epoch; null when the monitor will not try. */
  nextTryAt: number | null;
  /** What it waits for, in words; null when nothing is to be recovered. */
  waitsFor: string | null;
}

/** Whether to let the canary back in. The cool-down runs only while its probes are healthy: a failing one starts it over. */
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
    return never("a person: what was known of the breach is gone");
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
    return wait("a probe of the canary: no agent is heard");
  if (facts.isProdInBreach) return wait("prod, which is in breach itself");
  return { isDue: true, nextTryAt, waitsFor: null };
}
