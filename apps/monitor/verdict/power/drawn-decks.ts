import { deckBucketOf, MAX_PICKS } from "../../../../lib/telemetry/decks.js";
import { upperEdgeMs } from "../../../../lib/telemetry/latency-histogram.js";
import {
  reduceRatio,
  type Ratio,
} from "../../../../lib/telemetry/split-ratio.js";
import type { ComparedRoute } from "../baseline/compared-route.js";
import { winningsOf } from "../evidence/deck-bets.js";
import { COMPONENT_COUNT } from "../evidence/dictionary.js";
import { EPOCH_SLOTS } from "../evidence/stall-guard.js";

/** The requests of the drawn decks. */
const DRAWN_REQUESTS = 20_000;
const FEWEST_DECKS = 200;
const [FEWEST_EPOCHS, MOST_EPOCHS] = [8, 60];
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
export interface DrawnDecks {
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

interface DrawnEpoch {
  /** The places of its decks, by slot. */
  deckAt: number[][];
  canaries: Float64Array;
  slow: Float64Array;
}

/** Epochs with decks at this rate, which are taken from the drawn ones at random. */
export function drawEpochs(
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

/** The winnings of one component in an epoch, by slot. */
export function winBySlot(
  { winnings }: DrawnDecks,
  deckAt: readonly number[][],
  component: number,
): Float64Array {
  return Float64Array.from(deckAt, (places) =>
    places.reduce((sum, at) => sum + (winnings[component]?.[at] ?? 0), 0),
  );
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
