import { expect } from "chai";
import { errorRatioFound } from "../../../apps/monitor/verdict/power/error-power.js";
import { errorEvidence } from "../../../apps/monitor/verdict/evidence/error-evidence.js";
import { evidenceToStop } from "../../../apps/monitor/verdict/evidence/total.js";
import { compareRoutes } from "../../../apps/monitor/verdict/baseline/baseline.js";
import {
  deckOfShare,
  drawDecks,
} from "../../../apps/monitor/verdict/power/drawn-decks.js";
import {
  requestsNeeded,
  Z50,
  Z90,
} from "../../../apps/monitor/verdict/power/power.js";
import { createSeededRandom } from "../../support/seeded-random.js";
import {
  ALPHA,
  healthy,
  RULES,
  TestedRelease,
  type Respond,
} from "../../support/monitor/verdict-traffic.js";

const RELEASES = 30;
/** Of those, whose prod the formula is given. */
const ESTIMATES = 4;
const TO_STOP = evidenceToStop(ALPHA);
const WITHIN = 0.25;

type Law = (ms: number, random: () => number) => number;
const LAWS: Record<string, Law> = {
  lognormal: (ms) => ms,
  bimodal: (ms, random) => (random() < 0.8 ? 0.3 : 2) * ms,
};

/** Canary requests in decks until the stop. */
function simulate(point: {
  law: string;
  slowdown: number;
  perSecond: number;
  stallMs: number;
  ratio: { prod: number; canary: number };
}) {
  const { law, slowdown, perSecond, stallMs, ratio } = point;
  const respond =
    (factor: number): Respond =>
    (side, route, random) => {
      const { latencyMs } = healthy(side, route, random);
      const ms = LAWS[law]!(latencyMs, random);
      return { latencyMs: side === "canary" ? factor * ms : ms };
    };
  const search = { ratio, perSecond, stallMs, toStop: TO_STOP };
  const formula = { n50: 0, n90: 0 };
  const stops = Array.from({ length: RELEASES }, (_, seed) => {
    const release = new TestedRelease(1000 + seed);
    release.ratio = ratio;
    release.share = ratio.canary / (ratio.prod + ratio.canary);
    release.respond = respond(1);
    // Prod's last 1,000 requests or more, and any place in an epoch.
    release.requestsPerWindow = 100;
    release.hear(20 + Math.floor((60 * seed) / RELEASES));
    const routes = compareRoutes(release.baseline, RULES.tolerance);
    if (seed < ESTIMATES) {
      const decks = drawDecks(routes, ratio, slowdown);
      formula.n50 += requestsNeeded(decks, search, Z50) / ESTIMATES;
      formula.n90 += requestsNeeded(decks, search, Z90) / ESTIMATES;
    }
    release.test = release.startTest({ stallMs });
    // Slow from the first request that counts.
    do release.hear(1);
    while (release.judge().outcome === "warming");
    release.requestsPerWindow = perSecond / release.share / 2;
    release.respond = respond(slowdown);
    const count = () => release.test.toStored().whole.canaryInDecks;
    const before = count();
    release.until("worse", 4000);
    return count() - before;
  });
  stops.sort((a, b) => a - b);
  const n50 = stops[RELEASES / 2 - 1]!;
  const n90 = stops[0.9 * RELEASES - 1]!;
  return { formula, simulated: { n50, n90 } };
}

describe("verdict's power", function () {
  this.timeout(240_000);

  for (const point of [
    { law: "lognormal", slowdown: 1.5, perSecond: 25, stallMs: 5000 },
    { law: "lognormal", slowdown: 2, perSecond: 2.5, stallMs: 5000 },
    { law: "bimodal", slowdown: 1.5, perSecond: 25, stallMs: 2500 },
    { law: "lognormal", slowdown: 1.25, perSecond: 25, stallMs: 2500 },
  ])
    it(`is that of simulated releases within 25 %: × ${point.slowdown}, ${point.law}, ${point.perSecond}/s, stalls of ${point.stallMs} ms`, () => {
      const ratio = { prod: 3, canary: 1 };
      const { formula, simulated } = simulate({ ...point, ratio });
      const figures = JSON.stringify({ formula, simulated });
      expect(formula.n90).to.be.closeTo(
        simulated.n90,
        WITHIN * simulated.n90,
        figures,
      );
    });

  it("is the same for decks of 19:1, for each canary request", () => {
    const ratio = { prod: 19, canary: 1 };
    const { formula, simulated } = simulate({
      ...{ law: "lognormal", slowdown: 2, perSecond: 5, stallMs: 2500, ratio },
    });
    const figures = JSON.stringify({ formula, simulated });
    expect(formula.n90).to.be.closeTo(
      simulated.n90,
      WITHIN * simulated.n90,
      figures,
    );
  });

  it("knows the decks of a share, of at most 100 picks", () => {
    expect(deckOfShare(0.25)).to.deep.equal({ prod: 3, canary: 1 });
    expect(deckOfShare(0.02)).to.deep.equal({ prod: 49, canary: 1 });
    expect(deckOfShare(0.075)).to.deep.equal({ prod: 37, canary: 3 });
    expect(deckOfShare(1 / 3)).to.deep.equal({ prod: 2, canary: 1 });
    expect(deckOfShare(0.001)).to.deep.equal({ prod: 99, canary: 1 });
    expect(deckOfShare(0.9999)).to.deep.equal({ prod: 1, canary: 99 });
    expect(deckOfShare(0.497)).to.deep.equal({ prod: 1, canary: 1 });
  });

  it("names the share of errors that nine of ten canaries are stopped for", () => {
    const random = createSeededRandom(7);
    const share = 0.25;
    for (const canaryRequests of [100, 1000]) {
      const ratio = errorRatioFound({
        ...{ canaryRequests, share, prodErrorRatio: 0.001, toStop: TO_STOP },
      })!;
      const runs = 400;
      let stopped = 0;
      for (let run = 0; run < runs; run++) {
        let [canaryErrors, prodErrors] = [0, 0];
        for (let n = 1; n <= canaryRequests; n++) {
          if (random() < ratio) canaryErrors += 1;
          for (let i = 0; i < 3; i++) if (random() < 0.001) prodErrors += 1;
          const counts = [{ share, canaryErrors, prodErrors }];
          if (errorEvidence(counts, n) - Math.LN2 < TO_STOP) continue;
          stopped += 1;
          break;
        }
      }
      expect(stopped / runs, `at ${ratio}`).to.be.within(0.87, 0.98);
    }
  });

  it("finds no share of errors in too few requests", () => {
    const query = { share: 0.25, prodErrorRatio: 0, toStop: TO_STOP };
    expect(errorRatioFound({ ...query, canaryRequests: 0 })).to.be.null;
    expect(errorRatioFound({ ...query, canaryRequests: 1 })).to.be.null;
  });
});
