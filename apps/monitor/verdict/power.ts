import type { ComparedRoute } from "./compared-route.js";
import { SLOT_MS, deckBucketOf } from "../../../lib/telemetry/decks.js";
import { upperEdgeMs } from "../../../lib/telemetry/latency-histogram.js";
import type { Ratio } from "../../../lib/telemetry/split-ratio.js";
import { winningsOf } from "./evidence/deck-bets.js";
import { COMPONENT_COUNT, LOG_WEIGHTS } from "./evidence/dictionary.js";
import { EPOCH_SLOTS } from "./evidence/stall-guard.js";

/** How many times slower a canary is that one wants to find; the first that this service shows. */
const SLOWDOWNS = [1.5, 2, 3, 5];
/** With more canary requests, and without the guard, a slow-down counts as not shown. */
const MOST_REQUESTS = 20_000;
/** The requests of the drawn decks. */
const DRAWN_REQUESTS = 40_000;
const FEWEST_DECKS = 200;
/** The quantile of the normal distribution for a power of 90 %. */
const Z90 = 1.2816;
const EPOCH_SECONDS = (EPOCH_SLOTS * SLOT_MS) / 1000;
/** Stalls are told from other traffic only above as many canary requests a second. */
const GUARDED_PER_SECOND = 3;
/** A comparison that takes longer is none. */
const MOST_EPOCHS = 2880;
/** The mean by which the evidence overshoots when it is looked at each second. */
const OVERSHOOT = 0.9;

/** What decks show of a canary that is `slowdown` times slower: mean and variance of the winnings, by component. */
export interface Power {
  slowdown: number;
  ratio: Ratio;
  gains: { mean: number; variance: number }[];
}

interface Search {
  toStop: number;
  /** Canary requests in decks. */
  perSecond: number;
  stallMs: number;
}

/**
 * Of the least slow-down that is found at this rate; if the guard hides all, of the least that is found without it. Undefined
 * if the routes do not show even the greatest one within the tolerance.
 */
export function measurePower(
  routes: readonly ComparedRoute[],
  ratio: Ratio,
  search: Search,
): Power | undefined {
  let shown: Power | undefined;
  for (const slowdown of SLOWDOWNS) {
    const gains = drawGains(routes, ratio, slowdown);
    const power = { slowdown, ratio, gains };
    if (requestsNeeded(power, search) <= MOST_REQUESTS) return power;
    const unguarded = requestsNeeded(power, { ...search, perSecond: 0 });
    if (unguarded <= MOST_REQUESTS) shown ??= power;
  }
  return shown;
}

/** Canary requests until the slow-down is found with 90 % power; infinite if never. */
export function requestsNeeded(
  { ratio, gains }: Power,
  { toStop, perSecond, stallMs }: Search,
): number {
  const decksPerSecond = perSecond / ratio.canary;
  let fewest = Infinity;
  gains.forEach(({ mean, variance }, i) => {
    if (mean <= 0) return;
    const stake = toStop + Math.LN2 - OVERSHOOT - (LOG_WEIGHTS[i] ?? 0);
    const inStalls = (stallMs / 2000) * decksPerSecond;
    const loss = (k: number) =>
      perSecond < GUARDED_PER_SECOND
        ? 0
        : 2 * (mean * inStalls + k * Math.sqrt(2 * mean * inStalls));
    const after = (lost: number) => {
      const spread = Z90 * Math.sqrt(variance);
      const root = Math.sqrt(spread ** 2 + 4 * mean * (stake + lost));
      return ((spread + root) / (2 * mean)) ** 2;
    };
    const decks =
      loss(1) === 0 ? after(0) : withEpochs(decksPerSecond, loss, after);
    fewest = Math.min(fewest, decks * ratio.canary);
  });
  return Math.ceil(fewest);
}

/** Each epoch that has begun costs what its stalls could have won. */
function withEpochs(
  decksPerSecond: number,
  loss: (k: number) => number,
  after: (lost: number) => number,
): number {
  const soon = after(loss(1));
  if (soon <= 10 * decksPerSecond) return soon;
  for (let epochs = 1; epochs <= MOST_EPOCHS; epochs++) {
    const decks = after(epochs * loss(1.75));
    if (decks <= epochs * EPOCH_SECONDS * decksPerSecond) return decks;
  }
  return Infinity;
}

function drawGains(
  routes: readonly ComparedRoute[],
  { prod, canary }: Ratio,
  slowdown: number,
): Power["gains"] {
  const random = createSeededRandom();
  const drawRoute = drawFrom(routes.map(({ perSecond }) => perSecond));
  const drawBucket = routes.map(({ warmUp }) => drawFrom(warmUp));
  const size = prod + canary;
  const decks = Math.max(FEWEST_DECKS, Math.round(DRAWN_REQUESTS / size));
  const sums = new Float64Array(COMPONENT_COUNT);
  const squares = new Float64Array(COMPONENT_COUNT);
  // By component, and filled again for each deck: judging waits for this.
  const logRatios = Array.from(sums, () => new Float64Array(size));
  for (let deck = 0; deck < decks; deck++) {
    for (let j = 0; j < size; j++) {
      const place = drawRoute(random());
      const bucket = drawBucket[place]?.(random()) ?? 0;
      const isCanary = j < canary;
      const ms = (upperEdgeMs(bucket) + upperEdgeMs(bucket - 1)) / 2;
      const fine = deckBucketOf(isCanary ? ms * slowdown : ms);
      const route = routes[place];
      const counted = route?.bucketOf(fine, isCanary) ?? 0;
      logRatios.forEach((l, i) => {
        l[j] = route?.dictionary.logRatiosOf[counted]?.[i] ?? 0;
      });
    }
    logRatios.forEach((l, i) => {
      const won = winningsOf(l, canary);
      sums[i] = (sums[i] ?? 0) + won;
      squares[i] = (squares[i] ?? 0) + won * won;
    });
  }
  return Array.from(sums, (sum, i) => {
    const mean = sum / decks;
    return { mean, variance: (squares[i] ?? 0) / decks - mean ** 2 };
  });
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
