import { expect } from "chai";
import {
  betOnDeck,
  type DeckBets,
} from "../../../apps/monitor/verdict/evidence/deck-bets.js";
import {
  BUCKETS,
  createDictionary,
  LOG_WEIGHTS,
} from "../../../apps/monitor/verdict/evidence/dictionary.js";
import {
  absoluteErrorEvidence,
  errorEvidence,
  relativeErrorEvidence,
} from "../../../apps/monitor/verdict/evidence/error-evidence.js";
import { checkShare } from "../../../apps/monitor/verdict/evidence/share-check.js";
import {
  addSums,
  createGuardSums,
  dispersion,
  Epoch,
  EPOCH_SLOTS,
  weighDecks,
} from "../../../apps/monitor/verdict/evidence/stall-guard.js";
import {
  evidenceToStop,
  totalEvidence,
} from "../../../apps/monitor/verdict/evidence/total.js";
import { deflate } from "../../../apps/monitor/verdict/baseline/tolerance.js";
import { bandWidth } from "../../../bench/simulate/rivals.js";
import { bucketOf } from "../../../lib/telemetry/latency-histogram.js";
import {
  CLOSE,
  DECK_VECTORS,
  VECTORS,
  VERY_CLOSE,
} from "../../support/monitor/verdict-vectors.js";

const warmUp = new Float64Array(BUCKETS);
for (const [bucket, count] of DECK_VECTORS.baseline) warmUp[bucket] = count;
const dictionary = createDictionary(warmUp);
const TOLD = [0, 1, 2, 3];

/** @param buckets the canary's first */
function betOn(buckets: readonly number[], nc: number): DeckBets {
  const { logRatiosOf } = dictionary;
  return betOnDeck(
    buckets.map((bucket) => logRatiosOf[bucket]!),
    nc,
  );
}

function expectClose(actual: number[], expected: number[]): void {
  expect(actual.length).to.equal(expected.length);
  expected.forEach((value, i) => {
    expect(actual[i]).to.be.closeTo(value, VERY_CLOSE, `at ${i}`);
  });
}

describe("verdict by decks, against the reference vectors", () => {
  it("builds the same dictionary", () => {
    DECK_VECTORS.weights.forEach((weight, i) => {
      expect(Math.exp(LOG_WEIGHTS[i]!)).to.be.closeTo(weight, VERY_CLOSE);
    });
    for (const { component, bucket, lnr } of DECK_VECTORS.logRatios)
      expect(dictionary.logRatiosOf[bucket]![component]).to.be.closeTo(
        lnr,
        VERY_CLOSE,
      );
    expect(dictionary.slowAbove).to.equal(DECK_VECTORS.slowAbove);
  });

  it("deflates by the same tolerance", () => {
    for (const { ms, counts, bucket } of DECK_VECTORS.deflate) {
      const deflated = deflate(ms, { ratio: 0.1, ms: 5 });
      expect(deflated).to.be.closeTo(counts, VERY_CLOSE);
      expect(bucketOf(deflated)).to.equal(bucket);
    }
  });

  for (const {
    buckets,
    canary,
    components,
    ...expected
  } of DECK_VECTORS.blocks)
    it(`bets the same on a deck of ${buckets.length - canary.length}:${canary.length}`, () => {
      const ofCanary = canary.map((place) => buckets[place]!);
      const ofProd = buckets.filter((_, place) => !canary.includes(place));
      const bets = betOn([...ofCanary, ...ofProd], canary.length);
      const told = (list: Float64Array) => components.map((i) => list[i]!);
      expectClose(told(bets.winnings), expected.a);
      expectClose(told(bets.deviations), expected.R);
      expectClose(told(bets.variances), expected.V);
    });

  for (const sequence of DECK_VECTORS.sequences)
    it(`guards alike: ${sequence.name}`, () => {
      const epochs = new Map<number, Epoch>();
      for (const [slot, ...buckets] of sequence.blocks) {
        const number = Math.floor(slot / EPOCH_SLOTS);
        const epoch = epochs.get(number) ?? new Epoch(number);
        epochs.set(number, epoch);
        const slow = Number(buckets[0] > dictionary.slowAbove);
        const bets = betOn(buckets, 1);
        epoch.add(slot % EPOCH_SLOTS, bets, { requests: 1, slow });
      }
      const sums = createGuardSums();
      for (const epoch of epochs.values())
        addSums(sums, epoch.sum(DECK_VECTORS.parameters.windowSlots));
      const told = (list: Float64Array) => TOLD.map((i) => list[i]!);
      expectClose(told(sums.winnings), sequence.components);
      expectClose(told(sums.withoutStalls), sequence.trimmedComponents);
      expectClose(
        TOLD.map((i) => dispersion(sums, i)),
        sequence.phi,
      );
      const evidence = weighDecks(sums);
      expect(evidence.raw).to.be.closeTo(sequence.raw, VERY_CLOSE);
      expect(evidence.trimmed).to.be.closeTo(sequence.trimmed, VERY_CLOSE);
      expect(evidence.guarded).to.be.closeTo(sequence.guarded, VERY_CLOSE);
    });
});

describe("verdict by counts, against the reference vectors", () => {
  it("has the same band for the simulation’s rival", () => {
    for (const [requests, alpha, width] of VECTORS.dkw_eps)
      expect(bandWidth(requests, alpha)).to.be.closeTo(width, CLOSE);
  });

  it("has the same error evidence", () => {
    for (const vector of VECTORS.errors) {
      const { rho, rtol, floor, canary_requests, canary_errors } = vector;
      const counts = [
        {
          share: rho,
          canaryErrors: canary_errors,
          prodErrors: vector.prod_errors,
        },
      ];
      const relative = relativeErrorEvidence(counts, rtol);
      expect(relative).to.be.closeTo(vector.logE_rel, CLOSE);
      if (vector.logE_abs === null) continue;
      const absolute = absoluteErrorEvidence(
        canary_errors,
        canary_requests,
        floor,
      );
      expect(absolute).to.be.closeTo(vector.logE_abs, CLOSE);
      expect(Math.min(relative, absolute)).to.be.closeTo(vector.logE, CLOSE);
      if (rtol === 1.2 && floor === 0.001)
        expect(errorEvidence(counts, canary_requests)).to.be.closeTo(
          vector.logE,
          CLOSE,
        );
    }
  });

  it("has the same total and the same evidence to stop", () => {
    for (const vector of VECTORS.total) {
      const total = totalEvidence(vector.logE_lat, vector.logE_err);
      expect(total).to.be.closeTo(vector.logE_total, CLOSE);
      expect(total >= evidenceToStop(0.01)).to.equal(
        vector["alarm_alpha_0.01"],
      );
    }
  });

  it("has the same check of the share", () => {
    for (const { canary, prod, rho, logE } of VECTORS.srm)
      expect(checkShare({ canary, prod, share: rho })).to.be.closeTo(
        logE,
        CLOSE,
      );
  });
});
