import { COMPONENT_COUNT, LOG_WEIGHTS } from "./dictionary.js";
import {
  createByComponent,
  type ByComponent,
  type DeckBets,
} from "./deck-bets.js";
import { logSumExp } from "./total.js";

export const EPOCH_SLOTS = 120;
/** The slots of a group, whose scatter is compared with that of random dealing. */
export const GROUP_SLOTS = 20;
/** In each epoch, as many stalls are forgiven. */
const STALLS = 2;
/** What makes a stretch of slots like a stall: as many slow canary requests, and this share of all. */
const STALL_REQUESTS = 4;
const STALL_SHARE = 0.5;

/** Sums over epochs. */
export const SUMS = [
  "winnings",
  /** The winnings without the best of what is like a stall. */
  "withoutStalls",
  /** Σ R²/V, Σ R, Σ V and the number of groups with V > 0. */
  ...(["scatter", "deviations", "variances", "groups"] as const),
] as const;

export type GuardSums = Record<(typeof SUMS)[number], ByComponent>;

export function createGuardSums(): GuardSums {
  const sums = SUMS.map((name) => [name, createByComponent()]);
  return Object.fromEntries(sums) as GuardSums;
}

export function addSums(to: GuardSums, more: GuardSums): void {
  for (const name of SUMS)
    for (let i = 0; i < COMPONENT_COUNT; i++) add(to[name], i, more[name][i]);
}

/** 30 s of decks, by slots of 250 ms. */
export class Epoch {
  /** Its slots since the epoch of time are EPOCH_SLOTS · number and on. */
  readonly number: number;
  readonly #winnings = Array.from({ length: COMPONENT_COUNT }, bySlot);
  readonly #groups = Array.from({ length: EPOCH_SLOTS / GROUP_SLOTS }, () => ({
    deviations: createByComponent(),
    variances: createByComponent(),
  }));
  readonly #canaries = bySlot();
  readonly #slow = bySlot();

  constructor(number: number) {
    this.number = number;
  }

  /** @param slot within the epoch */
  add(
    slot: number,
    bets: DeckBets,
    canary: { requests: number; slow: number },
  ): void {
    add(this.#canaries, slot, canary.requests);
    add(this.#slow, slot, canary.slow);
    const group = this.#groups[Math.floor(slot / GROUP_SLOTS)];
    for (let i = 0; i < COMPONENT_COUNT; i++) {
      const winnings = this.#winnings[i];
      if (winnings !== undefined) add(winnings, slot, bets.winnings[i]);
      if (group === undefined) continue;
      add(group.deviations, i, bets.deviations[i]);
      add(group.variances, i, bets.variances[i]);
    }
  }

  /** @param windowSlots how many slots a stall lasts at most */
  sum(windowSlots: number): GuardSums {
    const sums = createGuardSums();
    const windows = findStalls(this.#canaries, this.#slow, windowSlots);
    for (let i = 0; i < COMPONENT_COUNT; i++) {
      const winnings = this.#winnings[i] ?? bySlot();
      const total = winnings.reduce((sum, won) => sum + won, 0);
      const inStalls =
        windows.length === 0 ? 0 : wonInStalls(winnings, windows)[EPOCH_SLOTS];
      sums.winnings[i] = total;
      sums.withoutStalls[i] = total - (inStalls ?? 0);
    }
    for (const { deviations, variances } of this.#groups)
      for (let i = 0; i < COMPONENT_COUNT; i++) {
        const variance = variances[i] ?? 0;
        if (variance <= 0) continue;
        const deviation = deviations[i] ?? 0;
        add(sums.scatter, i, deviation ** 2 / variance);
        add(sums.deviations, i, deviation);
        add(sums.variances, i, variance);
        add(sums.groups, i, 1);
      }
    return sums;
  }
}

interface Window {
  start: number;
  end: number;
}

/** The stretches of slots that are like a stall, ordered by the slot after their last. */
export function findStalls(
  canaries: Float64Array,
  slow: Float64Array,
  windowSlots: number,
): Window[] {
  const windows: Window[] = [];
  for (let end = 1; end <= EPOCH_SLOTS; end++) {
    let [inAll, inSlow] = [0, 0];
    const first = Math.max(0, end - windowSlots);
    for (let start = end - 1; start >= first; start--) {
      inAll += canaries[start] ?? 0;
      inSlow += slow[start] ?? 0;
      if (inSlow >= STALL_REQUESTS && inSlow >= STALL_SHARE * inAll)
        windows.push({ start, end });
    }
  }
  return windows;
}

/** The most that STALLS of these windows have won that do not overlap, at least 0: of those before each slot. */
export function wonInStalls(
  winnings: Float64Array,
  windows: readonly Window[],
): Float64Array {
  const before = cumulate(winnings);
  let best = new Float64Array(EPOCH_SLOTS + 1);
  for (let stalls = 1; stalls <= STALLS; stalls++) {
    const next = best.slice();
    // Ordered by their ends: what is best at an end is known when the next one comes.
    let last = 0;
    const carry = (to: number) => {
      for (; last < to; last++)
        next[last + 1] = larger(next[last + 1], next[last]);
    };
    for (const { start, end } of windows) {
      carry(end);
      const won = (before[end] ?? 0) - (before[start] ?? 0);
      next[end] = larger(next[end], (best[start] ?? 0) + won);
    }
    carry(EPOCH_SLOTS);
    best = next;
  }
  return best;
}

function larger(one = 0, other = 0): number {
  return Math.max(one, other);
}

/** The sum before each slot. */
export function cumulate(winnings: Float64Array): Float64Array {
  const before = new Float64Array(EPOCH_SLOTS + 1);
  winnings.forEach((won, slot) => {
    before[slot + 1] = (before[slot] ?? 0) + won;
  });
  return before;
}

export interface LatencyEvidence {
  /** Of all decks. */
  raw: number;
  /** Without what is like a stall. */
  trimmed: number;
  /** That, over the scatter beyond random dealing. */
  guarded: number;
  /** The smallest of the three, which counts. */
  evidence: number;
}

/**
 * A stall of one host slows all requests of its side for a moment, and no test of this kind can tell it from a regression. So the
 * two stretches of an epoch that are like a stall and won most do not count: if the canary is no slower except in those, the
 * evidence is at most that of a test that skips exactly these slots. The dispersion is the quasi-likelihood's (McCullagh &
 * Nelder, "Generalized Linear Models", 2nd ed., section 4.5); it and the minimum only lower the evidence.
 */
export function weighDecks(sums: GuardSums): LatencyEvidence {
  const raw = mix(sums.winnings);
  const trimmed = mix(sums.withoutStalls);
  const guarded = mix(
    sums.withoutStalls.map((won, i) =>
      won > 0 ? won / dispersion(sums, i) : won,
    ),
  );
  return { raw, trimmed, guarded, evidence: Math.min(raw, trimmed, guarded) };
}

/** φ, at least 1. */
export function dispersion(sums: GuardSums, component: number): number {
  const groups = sums.groups[component] ?? 0;
  const variance = sums.variances[component] ?? 0;
  if (groups < 2) return 1;
  const between =
    (sums.scatter[component] ?? 0) -
    (sums.deviations[component] ?? 0) ** 2 / variance;
  return Math.max(1, between / (groups - 1));
}

/** The mixture's log evidence: ln Σ w·e^L. */
export function mix(components: ArrayLike<number>): number {
  return logSumExp(
    Array.from(components, (value, i) => value + (LOG_WEIGHTS[i] ?? 0)),
  );
}

function bySlot(): Float64Array {
  return new Float64Array(EPOCH_SLOTS);
}

function add(list: Float64Array, index: number, value = 0): void {
  list[index] = (list[index] ?? 0) + value;
}
