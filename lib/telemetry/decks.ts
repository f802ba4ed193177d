import { bucketOf, TOP_BUCKET } from "./latency-histogram.js";

/** Buckets of a deck are 1/64 octave wide: this many make one of the histogram's. */
export const FINER = 4;
export const TOP_DECK_BUCKET = TOP_BUCKET * FINER;
export const SLOT_MS = 250;
/** The most requests of a deck, so that a window's size does not depend on the ratio. */
export const MAX_PICKS = 100;
/** The most that a window reports. */
export const MAX_DECKS = 100;
/** The requests in a window's decks: Redis keeps the windows of twenty minutes. */
export const MAX_DECK_REQUESTS = 1000;

/**
 * The requests that the split dealt in one go: `np` for prod and `nc` for the canary, in random order. Which of them went to
 * the canary is known to be chance, whatever the load did meanwhile.
 */
export interface DealtDeck {
  /** Index of 250 ms by the proxy's clock: when the request began that its side has alone, or the canary's first one. */
  slot: number;
  np: number;
  nc: number;
  /** The canary's first. Each has the bucket `b` with a latency in (2^((b−1)/64 − 4), 2^(b/64 − 4)] ms. */
  requests: [route: string, bucket: number][];
}

/** On the wire: `[slot, np, nc, [route, bucket], …]`, with the route's place in `deckRoutes`. */
export interface SentDecks {
  deckRoutes: string[];
  decks: (number | [route: number, bucket: number])[][];
}

/** The bucket of a latency in ms; `Math.ceil(b / FINER)` is the histogram's. */
export function deckBucketOf(latencyMs: number): number {
  return bucketOf(latencyMs, FINER);
}

export function encodeDecks(decks: readonly DealtDeck[]): SentDecks {
  const places = new Map<string, number>();
  const placeOf = (route: string): number => {
    const known = places.get(route);
    if (known !== undefined) return known;
    places.set(route, places.size);
    return places.size - 1;
  };
  const sent = decks.map(({ slot, np, nc, requests }) => [
    ...[slot, np, nc],
    ...requests.map(([route, bucket]): [number, number] => [
      placeOf(route),
      bucket,
    ]),
  ]);
  return { deckRoutes: [...places.keys()], decks: sent };
}

/** @returns the decks, or why they cannot be right */
export function decodeDecks({
  decks,
  deckRoutes,
}: {
  decks: readonly (readonly unknown[])[];
  deckRoutes: readonly string[];
}): DealtDeck[] | string {
  if (decks.length > MAX_DECKS) return `${decks.length} decks in a window`;
  const decoded: DealtDeck[] = [];
  for (const [slot, np, nc, ...sent] of decks) {
    if (!isCount(slot)) return `a deck in slot ${String(slot)}`;
    if (!isCount(np) || !isCount(nc) || np * nc === 0)
      return `a deck of ${String(np)}:${String(nc)}`;
    if (sent.length !== np + nc)
      return `${sent.length} requests in a deck of ${np}:${nc}`;
    const requests: DealtDeck["requests"] = [];
    for (const pair of sent) {
      const [place, bucket] = Array.isArray(pair) ? (pair as unknown[]) : [];
      const route = isCount(place) ? deckRoutes[place] : undefined;
      if (route === undefined) return "a deck with an unknown route";
      if (!isCount(bucket) || bucket > TOP_DECK_BUCKET)
        return `a deck with a latency in bucket ${String(bucket)}`;
      requests.push([route, bucket]);
    }
    decoded.push({ slot, np, nc, requests });
  }
  return decoded;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
