import { SLOT_MS } from "../../../../lib/telemetry/decks.js";
import type { Ratio } from "../../../../lib/telemetry/split-ratio.js";
import type { ComparedRoute } from "../baseline/compared-route.js";
import { LOG_WEIGHTS } from "../evidence/dictionary.js";
import {
  cumulate,
  EPOCH_SLOTS,
  findStalls,
  GROUP_SLOTS,
  wonInStalls,
} from "../evidence/stall-guard.js";
import {
  drawDecks,
  drawEpochs,
  winBySlot,
  type DrawnDecks,
} from "./drawn-decks.js";

/** How many times slower a canary may be. The test is to find the first of these that this service shows. */
const SLOWDOWNS = [1.5, 2, 3, 5];
/** With more canary requests, and without the guard, a slow-down counts as not shown. */
const MOST_REQUESTS = 20_000;
/** Quantiles of the normal distribution, for a power of 50 % and 90 %. */
export const Z50 = 0;
export const Z90 = 1.2816;
/** By how much the evidence overshoots on average when it is judged each second. */
const OVERSHOOT = 0.9;
/** How many components are tried: those that find it soonest without the guard. */
const BEST_COMPONENTS = 3;
/** A slow-down that takes longer than a day is not found. */
const MOST_SLOTS = 2880 * EPOCH_SLOTS;
/** A release may begin anywhere in an epoch. */
const PHASES = [0, 1, 2, 3, 4, 5].map((phase) => (phase * EPOCH_SLOTS) / 6);

export interface Search {
  ratio: Ratio;
  toStop: number;
  /** Canary requests in decks. */
  perSecond: number;
  stallMs: number;
}

/** The slow-down that a test can find, and after how many canary requests in decks it has with 90 % power. */
export interface Power {
  slowdown: number;
  requests: number;
}

/**
 * The power to find the least slow-down that can be found at this rate or, if the guard hides all, the least that can be
 * found without it. Undefined if the routes do not show even the greatest one within the tolerance.
 */
export function measurePower(
  routes: readonly ComparedRoute[],
  search: Search,
): Power | undefined {
  let shown: Power | undefined;
  for (const slowdown of SLOWDOWNS) {
    const decks = drawDecks(routes, search.ratio, slowdown);
    const requests = requestsNeeded(decks, search);
    if (requests <= MOST_REQUESTS) return { slowdown, requests };
    const [unguarded = Infinity] = rankComponents(decks, search, Z90).map(
      ({ needed }) => needed * search.ratio.canary,
    );
    if (unguarded <= MOST_REQUESTS) shown ??= { slowdown, requests };
  }
  return shown;
}

/** Canary requests until the slow-down is found; infinite if never. @param z of the power */
export function requestsNeeded(
  decks: DrawnDecks,
  search: Search,
  z = Z90,
): number {
  const { ratio, perSecond, stallMs } = search;
  const decksPerSlot = (perSecond / ratio.canary) * (SLOT_MS / 1000);
  if (!(decksPerSlot > 0)) return Infinity;
  const epochs = drawEpochs(decks, ratio, decksPerSlot);
  const windows = epochs.map(({ canaries, slow }) =>
    findStalls(canaries, slow, stallMs / 2 / SLOT_MS),
  );
  let slots = Infinity;
  for (const found of rankComponents(decks, search, z)) {
    const after = meanOf(
      epochs.map(({ deckAt }, e) => {
        const won = winBySlot(decks, deckAt, found.component);
        const inStalls = wonInStalls(won, windows[e] ?? []);
        return cumulate(won).map((all, slot) => all - (inStalls[slot] ?? 0));
      }),
    );
    const needed = PHASES.map((phase) =>
      findSlot((slot) => {
        const spread = z * Math.sqrt(found.variance * decksPerSlot * slot);
        const won = wonAfter(after, phase, slot) - spread;
        return won >= found.stake * expectedDispersion(slot);
      }),
    );
    const mean = needed.reduce((sum, one) => sum + one, 0) / needed.length;
    slots = Math.min(slots, mean);
  }
  return Math.ceil(slots * decksPerSlot * ratio.canary);
}

/** The components that find it, without the guard, the soonest first. */
function rankComponents(
  { winnings }: DrawnDecks,
  { toStop }: Search,
  z: number,
) {
  const found = winnings.flatMap((won, component) => {
    const { mean, variance } = describe(won);
    if (mean <= 0) return [];
    const stake = toStop + Math.LN2 - OVERSHOOT - (LOG_WEIGHTS[component] ?? 0);
    const spread = z * Math.sqrt(variance);
    const root = Math.sqrt(spread ** 2 + 4 * mean * stake);
    const needed = ((spread + root) / (2 * mean)) ** 2;
    return [{ component, variance, stake, needed }];
  });
  return found.sort((a, b) => a.needed - b.needed).slice(0, BEST_COMPONENTS);
}

function describe(values: Float64Array): { mean: number; variance: number } {
  const mean = values.reduce((sum, one) => sum + one, 0) / values.length;
  const squares = values.reduce((sum, one) => sum + one * one, 0);
  return { mean, variance: squares / values.length - mean ** 2 };
}

/** The mean of lists, place by place. */
function meanOf(lists: readonly Float64Array[]): Float64Array {
  const mean = new Float64Array(EPOCH_SLOTS + 1);
  for (const list of lists)
    list.forEach((value, at) => {
      mean[at] = (mean[at] ?? 0) + value / lists.length;
    });
  return mean;
}

/** The mean winnings without stalls, after so many slots that begin in this phase of an epoch. */
function wonAfter(after: Float64Array, phase: number, slots: number): number {
  const first = Math.min(slots, EPOCH_SLOTS - phase);
  const rest = slots - first;
  const whole = Math.floor(rest / EPOCH_SLOTS);
  return (
    (after[first] ?? 0) +
    whole * (after[EPOCH_SLOTS] ?? 0) +
    (after[rest % EPOCH_SLOTS] ?? 0)
  );
}

/**
 * Half of the mean excess of max(1, χ²/k) over 1, as the scatter of k + 1 groups gives it: a test ends when the scatter
 * happens to be small. Approximate, and calibrated by test/unit/monitor/verdict-power.test.ts.
 */
function expectedDispersion(slots: number): number {
  const k = Math.ceil(slots / GROUP_SLOTS) - 1;
  return k < 1 ? 1 : 1 + Math.sqrt(1 / (Math.PI * k)) / 2;
}

/** The first slot at which it holds, as it does from then on; infinite if it does not. */
function findSlot(holds: (slot: number) => boolean): number {
  let [low, high] = [0, 1];
  while (!holds(high)) {
    if (high > MOST_SLOTS) return Infinity;
    low = high;
    high *= 2;
  }
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (holds(middle)) high = middle;
    else low = middle;
  }
  return high;
}
