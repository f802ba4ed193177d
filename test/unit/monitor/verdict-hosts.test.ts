import { expect } from "chai";
import { HostFactor } from "../../../apps/monitor/verdict/baseline/host-factor.js";
import {
  createCanaryBuckets,
  deflate,
} from "../../../apps/monitor/verdict/baseline/tolerance.js";
import { deckBucketOf } from "../../../lib/telemetry/decks.js";
import {
  bucketOf,
  upperEdgeMs,
} from "../../../lib/telemetry/latency-histogram.js";
import { describeHostDifference } from "../../../lib/wording/host-difference.js";
import {
  slowerBy,
  TestedRelease,
} from "../../support/monitor/verdict-traffic.js";

/** What is learned of hosts of which the canary's is slower by this factor. */
function learnFrom(factor: number, seconds = 100): HostFactor {
  const release = new TestedRelease(31);
  release.respond = slowerBy(factor);
  const hosts = new HostFactor();
  for (let i = 0; i < 2 * seconds; i++) {
    release.atMs += 500;
    const { decks } = release.createPair();
    if (Array.isArray(decks)) hosts.learn(decks);
  }
  return hosts;
}

describe("verdict on unequal hosts", function () {
  this.timeout(240_000);

  it("learns how much slower the canary's host is, within the cap", () => {
    const within = learnFrom(1.2).difference!;
    expect(within.ratio).to.be.closeTo(1.2, 0.04);
    expect(within.factor).to.equal(within.ratio);
    const beyond = learnFrom(1.4).difference!;
    expect(beyond.ratio).to.be.closeTo(1.4, 0.05);
    expect(beyond.factor).to.equal(1.25);
    expect(learnFrom(0.6).factor).to.equal(0.8);
    // Chance alone is not worth a new test.
    expect(learnFrom(1).factor).to.equal(1);
  });

  it("learns only from 2,000 canary requests, and forgets them at a new version", () => {
    // 25 canary requests a second.
    const hosts = learnFrom(1.2, 79);
    expect(hosts.difference).to.be.undefined;
    hosts.forget();
    const release = new TestedRelease(32);
    release.hear(1);
    const { decks } = release.createPair();
    for (let i = 0; i < 40; i++) if (Array.isArray(decks)) hosts.learn(decks);
    expect(hosts.difference).to.be.undefined;
  });

  it("continues from what was stored", () => {
    const half = learnFrom(1.2, 60);
    const json = JSON.stringify(half.toStored());
    const restored = HostFactor.restore(JSON.parse(json) as never);
    expect(restored.toStored()).to.deep.equal(half.toStored());
    expect(restored.toStored().canary).not.to.be.empty;
  });

  it("divides the canary's latency by the factor before the tolerance", () => {
    const tolerance = { ratio: 0.1, ms: 5 };
    const fine = deckBucketOf(120);
    const lower = upperEdgeMs(0) * 2 ** ((fine - 1) / 64);
    expect(createCanaryBuckets(tolerance, 1.2)[fine]).to.equal(
      bucketOf(deflate(lower / 1.2, tolerance) * (1 + 1e-12)),
    );
  });

  it("stops no healthy canary of a host that is slower by 20 %, where it stopped all without the factor", () => {
    const { factor } = learnFrom(1.2);
    const stopped = (hostFactor: number) =>
      Array.from({ length: 10 }, (_, seed) => {
        const release = new TestedRelease(200 + seed);
        release.hear(20);
        release.respond = slowerBy(1.2);
        release.test = release.startTest({ hostFactor });
        for (let second = 0; second < 300; second++) {
          release.hear(2);
          if (second % 5 === 0) release.judge();
          if (release.test.isWorse) return true;
        }
        return false;
      }).filter(Boolean).length;
    expect({ before: stopped(1), after: stopped(factor) }).to.deep.equal({
      ...{ before: 10, after: 0 },
    });
  });

  it("still finds a canary that is slower than its host", () => {
    const release = new TestedRelease(33);
    release.hear(20);
    release.test = release.startTest({ hostFactor: 1.2 });
    release.hear(2);
    release.respond = slowerBy(1.2 * 1.5);
    expect(release.until("worse").canary.requests).to.be.below(600);
  });

  it("is told where it is beyond what is corrected", () => {
    const tell = (ratio: number, factor: number) =>
      describeHostDifference({ ratio, factor });
    expect(tell(1.2, 1.2)).to.be.undefined;
    expect(tell(1.02, 1)).to.be.undefined;
    expect(tell(1.4, 1.25)).to.equal(
      "hosts differ by 40 %: with prod’s version too, the canary is slower; the verdict corrects 25 %",
    );
    expect(tell(0.6, 0.8)).to.equal(
      "hosts differ by 40 %: with prod’s version too, the canary is faster; the verdict corrects 20 %",
    );
  });
});
