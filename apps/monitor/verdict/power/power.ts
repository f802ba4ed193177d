import type { ComparedRoute } from "../baseline/compared-route.js";
import {
  deckBucketOf,
  MAX_PICKS,
  SLOT_MS,
} from "../../../../lib/telemetry/decks.js";
import { upperEdgeMs } from "../../../../lib/telemetry/latency-histogram.js";
import {
  reduceRatio,
  type Ratio,
} from "../../../../lib/telemetry/split-ratio.js";
import { winningsOf } from "../evidence/deck-bets.js";
import { COMPONENT_COUNT, LOG_WEIGHTS } from "../evidence/dictionary.js";
import {
  cumulate,
  EPOCH_SLOTS,
  findStalls,
  GROUP_SLOTS,
  wonInStalls,
} from "../evidence/stall-guard.js";

/** How many times slower a canary is that one wants to find; the first that this service shows. */
const SLOWDOWNS = [1.5, 2, 3, 5];
/** With more canary requests, and without the guard, a slow-down counts as not shown. */
const MOST_REQUESTS = 20_000;
/** The requests of the drawn decks. */
const DRAWN_REQUESTS = 20_000;
const FEWEST_DECKS = 200;
/** Quantiles of the normal distribution, for a power of 50 % and 90 %. */
export const Z50 = 0;
export const Z90 = 1.2816;
/** The mean by which the evidence overshoots when it is looked at each second. */
const OVERSHOOT = 0.9;
/** The components that find it soonest without the guard. */
const BEST_COMPONENTS = 3;
const [FEWEST_EPOCHS, MOST_EPOCHS] = [8, 60];
/** A comparison that takes longer than a day is none. */
const MOST_SLOTS = 2880 * EPOCH_SLOTS;
/** A release begins anywhere in an epoch. */
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
 * Of the least slow-down that is found at this rate; if the guard hides all, of the least that is found without it. Undefined
 * if the routes do not show even the greatest one within the tolerance.
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

/** Of a share: about what its decks have. */
const CLOSE = 1e-4;

/** About the decks in which a share of the canary, above 0 and below 1, is dealt. */
export function deckOfShare(share: number): Ratio {
  for (let size = 2; size <= MAX_PICKS; size++) {
    const canary = Math.round(size * share);
    const isClose = Math.abs(canary / size - share) < CLOSE;
    if (isClose && canary > 0 && canary < size)
      return { prod: size - canary, canary };
  }
  const canary = Math.round(MAX_PICKS * share);
  const inDeck = Math.min(MAX_PICKS - 1, Math.max(1, canary));
  return reduceRatio({ prod: MAX_PICKS - inDeck, canary: inDeck });
}

/** Decks of prod's latencies, with the canary's slowed down. */
interface DrawnDecks {
  /** `[component][deck]` */
  winnings: readonly Float64Array[];
  /** How many of the canary's requests are slow, by deck. */
  slow: Uint8Array;
}

export function drawDecks(
  routes: readonly ComparedRoute[],
  { prod, canary }: Ratio,
  slowdown: number,
): DrawnDecks {
  const random = createSeededRandom();
  const drawRoute = drawFrom(routes.map(({ perSecond }) => perSecond));
  const drawBucket = routes.map(({ warmUp }) => drawFrom(warmUp));
  const size = prod + canary;
  const count = Math.max(FEWEST_DECKS, Math.round(DRAWN_REQUESTS / size));
  const drawn = {
    winnings: Array.from(
      { length: COMPONENT_COUNT },
      () => new Float64Array(count),
    ),
    slow: new Uint8Array(count),
  };
  // By component, and filled again for each deck: judging waits for this.
  const logRatios = drawn.winnings.map(() => new Float64Array(size));
  for (let deck = 0; deck < count; deck++) {
    for (let j = 0; j < size; j++) {
      const isCanary = j < canary;
      const [one, other] = isCanary
        ? spreadEvenly(deck * canary + j)
        : [random(), random()];
      const place = drawRoute(one);
      const bucket = drawBucket[place]?.(other) ?? 0;
      const ms = (upperEdgeMs(bucket) + upperEdgeMs(bucket - 1)) / 2;
      const route = routes[place];
      if (route === undefined) continue;
      const { dictionary, hostFactor } = route;
      const fine = deckBucketOf(isCanary ? ms * slowdown * hostFactor : ms);
      const counted = route.bucketOf(fine, isCanary);
      if (isCanary && counted > dictionary.slowAbove)
        drawn.slow[deck] = (drawn.slow[deck] ?? 0) + 1;
      logRatios.forEach((l, i) => {
        l[j] = dictionary.logRatiosOf[counted]?.[i] ?? 0;
      });
    }
    logRatios.forEach((l, i) => {
      const winnings = drawn.winnings[i];
      if (winnings !== undefined) winnings[deck] = winningsOf(l, canary);
    });
  }
  return drawn;
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

interface DrawnEpoch {
  /** The places of its decks, by slot. */
  deckAt: number[][];
  canaries: Float64Array;
  slow: Float64Array;
}

/** Epochs at this rate, of decks that are drawn anew. */
function drawEpochs(
  { slow }: DrawnDecks,
  { canary }: Ratio,
  decksPerSlot: number,
): DrawnEpoch[] {
  const random = createSeededRandom();
  const perEpoch = decksPerSlot * EPOCH_SLOTS;
  const wanted = Math.round(slow.length / perEpoch);
  const count = Math.min(MOST_EPOCHS, Math.max(FEWEST_EPOCHS, wanted));
  return Array.from({ length: count }, () => {
    const epoch: DrawnEpoch = {
      deckAt: [],
      canaries: new Float64Array(EPOCH_SLOTS),
      slow: new Float64Array(EPOCH_SLOTS),
    };
    let due = random();
    for (let slot = 0; slot < EPOCH_SLOTS; slot++) {
      const places: number[] = [];
      for (due += decksPerSlot; due >= 1; due--)
        places.push(Math.floor(random() * slow.length));
      epoch.deckAt.push(places);
      epoch.canaries[slot] = canary * places.length;
      epoch.slow[slot] = places.reduce((sum, at) => sum + (slow[at] ?? 0), 0);
    }
    return epoch;
  });
}

function winBySlot(
  { winnings }: DrawnDecks,
  deckAt: readonly number[][],
  component: number,
): Float64Array {
  return Float64Array.from(deckAt, (places) =>
    places.reduce((sum, at) => sum + (winnings[component]?.[at] ?? 0), 0),
  );
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
 * Half of the mean excess of max(1, χ²/k) over 1, as the scatter of k + 1 groups gives it: a test ends when the scatter happens to be
 * small. About, and calibrated by test/unit/monitor/verdict-power.test.ts.
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

/** Points that fill the unit square evenly, so that few canary requests tell the mean: Roberts' sequence R2. */
function spreadEvenly(index: number): [number, number] {
  return [
    (0.5 + index * 0.7548776662466927) % 1,
    (0.5 + index * 0.5698402909980532) % 1,
  ];
}

/** Draws an index in proportion to its weight, by a number from 0 to 1. */
function drawFrom(weights: ArrayLike<number>): (uniform: number) => number {
  const upTo: number[] = [];
  let total = 0;
  for (const weight of Array.from(weights)) upTo.push((total += weight));
  return (uniform) => {
    let [low, high] = [0, upTo.length - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((upTo[middle] ?? 0) > uniform * total) high = middle;
      else low = middle + 1;
    }
    return low;
  };
}

/** Mulberry32: the same numbers each time, so that a comparison is the same wherever it is made. */
function createSeededRandom(): () => number {
  let state = 1;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
