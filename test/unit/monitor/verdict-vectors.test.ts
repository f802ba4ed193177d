import { expect } from "chai";
import {
  bucketOfFine,
  edgeMs,
  BUCKETS,
} from "../../../apps/monitor/verdict/evidence/buckets.js";
import {
  Block,
  createGuardSums,
  guard,
  withBlock,
} from "../../../apps/monitor/verdict/evidence/burst-guard.js";
import {
  createDictionary,
  LOG_WEIGHTS,
} from "../../../apps/monitor/verdict/evidence/dictionary.js";
import {
  absoluteErrorEvidence,
  errorEvidence,
  relativeErrorEvidence,
} from "../../../apps/monitor/verdict/evidence/error-evidence.js";
import {
  addWinnings,
  createByComponent,
  createLatencyCounts,
  mix,
  smallerOf,
  type LatencyCounts,
} from "../../../apps/monitor/verdict/evidence/latency-evidence.js";
import { weigh } from "../../../apps/monitor/verdict/evidence.js";
import { RouteCounts } from "../../../apps/monitor/verdict/route-counts.js";
import {
  checkShare,
  correctedShare,
} from "../../../apps/monitor/verdict/evidence/share-check.js";
import { Stretch } from "../../../apps/monitor/verdict/stretch.js";
import {
  createCanaryBuckets,
  deflate,
} from "../../../apps/monitor/verdict/tolerance.js";
import {
  evidenceToStop,
  totalEvidence,
} from "../../../apps/monitor/verdict/evidence/total.js";
import { bandWidth } from "../../../bench/simulate/rivals.js";
import { bucketOf } from "../../../lib/telemetry/latency-histogram.js";
import { SIDES } from "../../../lib/telemetry/telemetry.js";
import {
  CLOSE,
  toCounts,
  VECTORS,
  type Sparse,
} from "../../support/monitor/verdict-vectors.js";

const shared = createDictionary(toCounts(VECTORS.warmup));

function countsOf(sides: { canary: Sparse; prod: Sparse }): LatencyCounts {
  return { canary: toCounts(sides.canary), prod: toCounts(sides.prod) };
}

/** A stretch with one route with these counts. Latencies are the upper edges of the verdict's buckets. */
function stretchOf(
  warmUp: Sparse,
  counted: { rho: number; sides: { canary: Sparse; prod: Sparse }[] },
): Stretch {
  const stretch = new Stretch(0, 0);
  const exact = createCanaryBuckets({ ratio: 0, ms: 0 });
  const route = new RouteCounts(toCounts(warmUp), exact);
  stretch.routes.set("GET /get", route);
  for (const sides of counted.sides)
    for (const side of SIDES)
      route.add(
        counted.rho,
        side,
        sides[side].map(([bucket, count]) => [64 + 4 * bucket, count]),
      );
  return stretch;
}

function sum(counts: ArrayLike<number>): number {
  return Array.from(counts).reduce((total, count) => total + count, 0);
}

function expectClose(actual: ArrayLike<number>, expected: number[]): void {
  expect(actual.length).to.equal(expected.length);
  expected.forEach((value, i) => {
    expect(actual[i]).to.be.closeTo(value, CLOSE, `at ${i}`);
  });
}

describe("verdict, against the reference vectors", () => {
  it("has the same buckets", () => {
    expect(VECTORS.edges_ms).to.have.length(BUCKETS - 1);
    VECTORS.edges_ms.forEach((edge, bucket) => {
      expect(edgeMs(bucket)).to.be.closeTo(edge, edge * 1e-9);
    });
    for (const [ms, bucket] of VECTORS.bucket_index)
      expect(bucketOfFine(bucketOf(ms))).to.equal(bucket, `${ms} ms`);
  });

  it("deflates by the same tolerance", () => {
    for (const [ms, ratio, toleranceMs, result] of VECTORS.deflate)
      expect(deflate(ms, { ratio, ms: toleranceMs })).to.be.closeTo(
        result,
        CLOSE,
      );
  });

  it("builds the same dictionary", () => {
    for (const { i, weight, r_at } of VECTORS.dictionary) {
      expect(Math.exp(LOG_WEIGHTS[i]!)).to.be.closeTo(weight, CLOSE);
      for (const [bucket, ratio] of r_at)
        expect(shared.ratios[i]![bucket]).to.be.closeTo(ratio, CLOSE);
    }
  });

  for (const vector of VECTORS.latency)
    it(`has the same latency evidence: ${vector.name}`, () => {
      const dictionary =
        vector.warmup === "shared"
          ? shared
          : createDictionary(toCounts(vector.warmup));
      const counts = countsOf(vector);
      const share = vector.rho;
      const corrected = correctedShare({
        share,
        canary: sum(counts.canary),
        prod: sum(counts.prod),
      });
      expect(corrected).to.be.closeTo(vector.rho_hat, CLOSE);
      const configured = createByComponent();
      addWinnings(configured, counts, dictionary, share);
      expectClose(configured, vector.components_cfg);
      expect(mix(configured)).to.be.closeTo(vector.logE_cfg, CLOSE);
      const seen = createByComponent();
      addWinnings(seen, counts, dictionary, corrected);
      const components = smallerOf(configured, seen);
      expectClose(components, vector.components);
      expect(mix(components)).to.be.closeTo(vector.logE, CLOSE);
      const warmUp =
        vector.warmup === "shared" ? VECTORS.warmup : vector.warmup;
      const stretch = stretchOf(warmUp, { rho: share, sides: [vector] });
      expect(weigh(stretch, undefined).raw).to.be.closeTo(vector.logE, CLOSE);
    });

  for (const vector of VECTORS.guard)
    for (const trim of [0, 1, 2] as const)
      it(`has the same burst guard: ${vector.name}, trim ${trim}`, () => {
        const share = vector.rho;
        const all = createLatencyCounts();
        let sums = createGuardSums(trim);
        for (const sides of vector.blocks) {
          const counts = countsOf(sides);
          const block = new Block();
          block.add(counts, shared, share);
          sums = withBlock(sums, block);
          counts.canary.forEach((n, bucket) => (all.canary[bucket]! += n));
          counts.prod.forEach((n, bucket) => (all.prod[bucket]! += n));
        }
        const configured = createByComponent();
        addWinnings(configured, all, shared, share);
        const seen = createByComponent();
        const dealt = { share, canary: sum(all.canary), prod: sum(all.prod) };
        addWinnings(seen, all, shared, correctedShare(dealt));
        const components = smallerOf(configured, seen);
        const raw = mix(components);
        const guarded = mix(guard(components, sums));
        const expected = vector[`trim${trim}`];
        expect(raw).to.be.closeTo(expected.raw, CLOSE);
        expect(Math.min(raw, guarded)).to.be.closeTo(expected.min, CLOSE);
        expect(guarded).to.be.closeTo(expected.guarded, CLOSE);
      });

  for (const vector of VECTORS.guard)
    it(`has the same evidence of a test with an open block: ${vector.name}`, () => {
      const { rho, blocks } = vector;
      const stretch = stretchOf(VECTORS.warmup, { rho, sides: blocks });
      const all = blocks.map((sides) => {
        const block = new Block();
        block.add(countsOf(sides), shared, rho);
        return block;
      });
      const open = all.pop();
      for (const block of all) stretch.endBlock(block);
      const evidence = weigh(stretch, open);
      const { raw, guarded, min } = vector.trim1;
      expect(evidence.raw).to.be.closeTo(raw, CLOSE);
      expect(evidence.guarded).to.be.closeTo(guarded, CLOSE);
      const total = totalEvidence(min, 0);
      expect(evidence.total).to.be.closeTo(total, CLOSE);
    });

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
