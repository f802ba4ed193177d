import { LatencyHistogram } from "../../../../lib/telemetry/latency-histogram.js";
import { FINER } from "../../../../lib/telemetry/decks.js";
import {
  betOnDeck,
  createByComponent,
  type ByComponent,
  type DeckBets,
} from "../evidence/deck-bets.js";
import { createDictionary, type Dictionary } from "../evidence/dictionary.js";
import { toSparse } from "./sparse.js";
import {
  createCanaryBuckets,
  toleranceAt,
  type Tolerance,
} from "./tolerance.js";

/** A route that is compared: what is known of prod's latencies from before, which stays the same during a test. */
export class ComparedRoute {
  readonly warmUp: Float64Array;
  /** Prod's requests on it before. */
  readonly perSecond: number;
  readonly dictionary: Dictionary;
  /** How many times slower the canary's hosts are with the same version. */
  readonly hostFactor: number;
  readonly #canaryBuckets: Uint16Array;

  constructor(
    { latency, perSecond }: { latency: Float64Array; perSecond: number },
    tolerance: Tolerance,
    hostFactor = 1,
  ) {
    this.hostFactor = hostFactor;
    this.warmUp = latency;
    this.perSecond = perSecond;
    this.dictionary = createDictionary(latency);
    const histogram = new LatencyHistogram();
    histogram.merge(toSparse(latency));
    const medianMs = histogram.quantile(0.5) ?? 0;
    this.#canaryBuckets = createCanaryBuckets(
      toleranceAt(tolerance, medianMs),
      hostFactor,
    );
  }

  /** The dictionary's bucket of a deck's; without the tolerance for the canary. */
  bucketOf(fine: number, isCanary: boolean): number {
    return isCanary
      ? (this.#canaryBuckets[fine] ?? 0)
      : Math.ceil(fine / FINER);
  }
}

/** Of a request that is not compared. */
const NO_BETS = createByComponent();

/** A request in a deck. */
export interface DealtRequest {
  name: string;
  /** Undefined if it is not compared. */
  route: ComparedRoute | undefined;
  bucket: number;
}

/** @param dealt the canary's first */
export function betOn(dealt: readonly DealtRequest[], nc: number): DeckBets {
  const logRatios = dealt.map(
    ({ route, bucket }) => route?.dictionary.logRatiosOf[bucket] ?? NO_BETS,
  );
  return betOnDeck(logRatios, nc);
}

/**
 * Each request by itself, as if each had been dealt independently: these bets are nearly fair, and tell which route is slower.
 */
export function addByRoute(
  winningsOf: (route: string) => ByComponent,
  dealt: readonly DealtRequest[],
  nc: number,
): void {
  const share = nc / dealt.length;
  dealt.forEach(({ name, route, bucket }, j) => {
    if (route === undefined) return;
    const winnings = winningsOf(name);
    route.dictionary.logRatiosOf[bucket]?.forEach((log, i) => {
      const z = 1 - share + share * Math.exp(log);
      winnings[i] = (winnings[i] ?? 0) + (j < nc ? log : 0) - Math.log(z);
    });
  });
}
