import { expect } from "chai";
import { describeWorse } from "../../../apps/monitor/verdict/describe-worse.js";
import { ReleaseTest } from "../../../apps/monitor/verdict/release-test.js";
import { storedTest } from "../../../apps/monitor/verdict/stored-test.js";
import { Baseline } from "../../../apps/monitor/verdict/baseline/baseline.js";
import {
  ALPHA,
  healthy,
  RULES,
  slowerBy,
  START,
  TestedRelease,
  type Respond,
} from "../../support/monitor/verdict-traffic.js";

describe("verdict on a release", function () {
  this.timeout(120_000);

  it("is worse for a canary twice as slow, soon after the stall that the guard forgives", () => {
    const release = new TestedRelease(1);
    release.hear(8);
    release.respond = slowerBy(2);
    const verdict = release.until("worse");
    expect(verdict.evidence).to.be.at.least(Math.log(100));
    expect(verdict.canary.requests).to.be.below(300);
    expect(verdict.canaryRequestsNeeded).to.equal(0);
    expect(describeWorse(verdict)).to.match(
      /^canary [12]\.?\d? × slower than prod on GET \/get after \d+ canary requests; evidence \d[\d,]* : 1$/,
    );
  });

  it("is healthy for an equal canary after enough requests, and counts them down", () => {
    const release = new TestedRelease(2);
    release.hear(20);
    const early = release.judge();
    expect(early.outcome).to.equal("insufficient");
    expect(early.canaryRequestsNeeded).to.be.within(1, 400);
    const verdict = release.until("healthy");
    expect(verdict.canaryRequestsNeeded).to.equal(0);
    release.hear(600);
    expect(release.judge().outcome).to.equal("healthy");
  });

  it("is never healthy for a canary twice as slow, however early the requests", () => {
    const release = new TestedRelease(13);
    release.requestsPerWindow = 500;
    release.hear(8);
    release.respond = slowerBy(2);
    for (;;) {
      release.hear(1);
      const { outcome } = release.judge();
      if (outcome === "worse") break;
      expect(outcome).to.equal("insufficient");
    }
  });

  it("is healthy only once a canary 1.5 × slower would have been found", () => {
    const release = new TestedRelease(14);
    release.hear(20);
    const early = release.judge();
    expect(early.outcome).to.equal("insufficient");
    expect(early.because).to.equal(
      "a canary 1.5 × slower would not have been found yet",
    );
    expect(early.minutesNeeded).to.be.within(1, 2);
    const { wouldFind, canary } = release.until("healthy");
    expect(wouldFind).to.equal(1.5);
    const slower = Array.from({ length: 20 }, (_, seed) => {
      const worse = new TestedRelease(100 + seed);
      worse.hear(14);
      worse.test = worse.startTest();
      worse.respond = slowerBy(1.5);
      return worse.until("worse").canary.requests;
    });
    slower.sort((a, b) => a - b);
    // The 18th of twenty: as many are found with 90 % power.
    expect(canary.requests).to.be.within(slower[17]!, 1.5 * slower[17]!);
  });

  it("looks for a greater slow-down where the tolerance hides the usual one", () => {
    const release = new TestedRelease(17);
    release.respond = (_side, _route, random) => ({
      latencyMs: 4 + 0.2 * random(),
    });
    const { wouldFind } = release.until("healthy", 4000);
    expect(wouldFind).to.equal(2);
  });

  it("looks for a greater slow-down where the guard hides the usual one at so low a rate", () => {
    const release = new TestedRelease(18);
    // Four canary requests a second to a service that takes a millisecond.
    release.requestsPerWindow = 8;
    release.respond = (side, route, random) => ({
      latencyMs: (healthy(side, route, random).latencyMs / 100) ** 2.5,
    });
    const { wouldFind } = release.until("healthy", 1200);
    expect(wouldFind).to.be.above(1.5);
  });

  it("is not worse when both sides are slow", () => {
    const release = new TestedRelease(3);
    release.hear(20);
    release.respond = (side, route, random) => ({
      latencyMs: 3 * healthy(side, route, random).latencyMs,
    });
    release.hear(400);
    expect(release.judge().outcome).to.equal("healthy");
  });

  it("tolerates a canary that is slower by less than the tolerance", () => {
    const release = new TestedRelease(4);
    release.hear(20);
    release.respond = slowerBy(1.05);
    release.hear(1200);
    expect(release.judge().outcome).to.equal("healthy");
  });

  it("is worse for a canary that fails one request in ten, and says so", () => {
    const release = new TestedRelease(5);
    release.hear(20);
    release.respond = (side, route, random) => ({
      ...healthy(side, route, random),
      isError: side === "canary" && random() < 0.1,
    });
    const verdict = release.until("worse");
    expect(verdict.canary.requests).to.be.below(400);
    expect(describeWorse(verdict)).to.match(
      /^canary fails \d+(\.\d)? % of its requests on GET \/get, prod 0 %; evidence /,
    );
  });

  it("does not stop on a single slow burst", () => {
    const release = new TestedRelease(6);
    release.hear(20);
    // The canary is slow for half a second, as after a stall of its only instance.
    release.respond = slowerBy(20);
    release.hear(1);
    const during = release.judge();
    expect(during.latency.raw).to.be.above(during.evidenceToStop);
    expect(during.outcome).to.equal("insufficient");
    release.respond = healthy;
    release.hear(600);
    expect(release.judge().outcome).to.equal("healthy");
  });

  describe("while the canary warms up", () => {
    const startCold = (seed: number) => {
      const release = new TestedRelease(seed);
      release.hear(14);
      release.test = release.startTest({ warmUpMs: 60_000 });
      return release;
    };

    it("is warming for 60 s and 50 canary requests, and compares no latency of then", () => {
      const release = startCold(7);
      release.respond = slowerBy(30);
      release.hear(120);
      const { outcome, because, latency } = release.judge();
      expect(outcome).to.equal("warming");
      expect(because).to.match(/^warming up: 15\d\d canary requests so far$/);
      expect(latency.raw).to.be.closeTo(0, 1e-9);
      release.respond = healthy;
      release.hear(400);
      expect(release.judge().outcome).to.equal("healthy");
    });

    it("is warming after 60 s with too few canary requests", () => {
      const release = startCold(8);
      release.requestsPerWindow = 1;
      release.hear(150);
      expect(release.judge().outcome).to.equal("warming");
      release.hear(60);
      expect(release.judge().outcome).not.to.equal("warming");
    });

    it("is worse for a canary that fails", () => {
      const release = startCold(9);
      release.respond = (side, route, random) => ({
        ...healthy(side, route, random),
        isError: side === "canary" && random() < 0.2,
      });
      release.until("worse", 60);
    });
  });

  it("is worse for a canary whose every request fails on a rare route, within 20 of them", () => {
    const release = new TestedRelease(18);
    release.requestsPerWindow = 2;
    release.respond = (side, route, random) => ({
      ...healthy(side, route, random),
      isError: side === "canary",
    });
    expect(release.until("worse").canary.requests).to.be.below(20);
  });

  it("forgives stalls of the canary of five seconds in thirty, and no more", () => {
    const outcomes = [5, 10].map((seconds) => {
      const release = new TestedRelease(19);
      release.hear(100);
      for (let minute = 0; minute < 4; minute++) {
        release.respond = slowerBy(5);
        release.hear(2 * seconds);
        release.respond = healthy;
        release.hear(60 - 2 * seconds);
      }
      return release.judge().outcome;
    });
    expect(outcomes).to.deep.equal(["insufficient", "worse"]);
  });

  it("detects a service below a millisecond that becomes twice as slow", () => {
    const release = new TestedRelease(20);
    const fast =
      (factor: number): Respond =>
      (side, route, random) => ({
        latencyMs:
          (slowerBy(factor)(side, route, random).latencyMs * 0.4) / 100,
      });
    release.respond = fast(1);
    release.hear(14);
    release.test = release.startTest();
    release.respond = fast(2);
    release.until("worse", 1000);
  });

  it("reports only a broken split if the split does not match its ratio", () => {
    const release = new TestedRelease(9);
    release.hear(20);
    // Reports 3:1, but splits 1:1.
    release.respond = slowerBy(2);
    release.share = 0.5;
    for (let i = 0; i < 40; i++) {
      release.atMs += 500;
      const pair = release.createPair();
      release.test.observe({ ...pair, share: 0.25 }, release.baseline);
      const { outcome, split } = release.judge();
      const isBroken = split >= Math.log(1000);
      expect(outcome === "split broken").to.equal(isBroken, `at ${split}`);
    }
    const verdict = release.judge();
    expect(verdict.outcome).to.equal("split broken");
    expect(verdict.split).to.be.above(Math.log(1000));
  });

  it("counts as many shares as a rollout has steps, and ignores further ones", () => {
    const release = new TestedRelease(16);
    release.hear(20);
    const observe = (share: number) => {
      release.atMs += 500;
      const pair = { ...release.createPair(), share };
      release.test.observe(pair, release.baseline);
    };
    for (let i = 0; i < 59; i++) observe(0.3 + i / 100);
    const { canary } = release.judge();
    observe(0.9);
    const { splits } = release.test.toStored().whole;
    expect(splits).to.have.length(60);
    expect(release.judge().canary).to.deep.equal(canary);
    observe(0.3);
    expect(release.judge().canary.requests).to.be.above(canary.requests);
  });

  it("uses the new share for new requests when the split changes", () => {
    const release = new TestedRelease(10);
    release.hear(100);
    release.share = 0.5;
    release.hear(300);
    expect(release.judge().outcome).to.equal("healthy");
    release.respond = slowerBy(2);
    expect(release.until("worse").split).to.be.below(0);
  });

  it("needs twice the evidence at each further try of the same release", () => {
    const options = { startedAt: START, rules: RULES };
    const baseline = new Baseline();
    const toStop = (attempt: number) =>
      new ReleaseTest({ ...options, attempt }).judge(ALPHA, baseline)
        .evidenceToStop;
    expect(toStop(0)).to.be.closeTo(Math.log(100), 1e-12);
    expect(toStop(3)).to.be.closeTo(Math.log(800), 1e-12);
  });

  it("gives the same verdict from its record", () => {
    const release = new TestedRelease(11);
    release.hear(1230);
    release.share = 0.5;
    release.respond = slowerBy(1.2);
    release.hear(17);
    const json = JSON.stringify(release.test.toRecord());
    const restored = ReleaseTest.restore(storedTest.parse(JSON.parse(json)));
    expect(restored.judge(ALPHA, release.baseline)).to.deep.equal(
      release.judge(),
    );
  });

  it("stays worse once the evidence has sufficed", () => {
    const release = new TestedRelease(12);
    release.hear(8);
    release.respond = slowerBy(2);
    release.until("worse");
    release.respond = slowerBy(0.5);
    release.hear(600);
    expect(release.judge().outcome).to.equal("worse");
    const stored = storedTest.parse(
      JSON.parse(JSON.stringify(release.test.toStored())),
    );
    const restored = ReleaseTest.restore(stored);
    expect(restored.judge(ALPHA, release.baseline).outcome).to.equal("worse");
  });
});

describe("verdict on a canary that becomes worse", () => {
  for (const [minutes, factor, most] of [
    [10, 2, 400],
    [30, 1.5, 800],
  ] as const)
    it(`detects it ${factor} times as slow after ${minutes} healthy minutes, in ${most} requests`, () => {
      const release = new TestedRelease(41);
      release.hear(minutes * 120);
      const { canary, outcome, since } = release.judge();
      expect(outcome).to.equal("healthy");
      expect(since).to.be.null;
      release.respond = slowerBy(factor);
      const sentAt = release.atMs;
      const verdict = release.until("worse");
      const canaryPerMs = 25 / 1000;
      expect((release.atMs - sentAt) * canaryPerMs).to.be.below(most);
      expect(verdict.since).to.be.within(release.atMs - 660_000, sentAt);
      expect(verdict.canary.requests).to.be.below(canary.requests);
      expect(describeWorse(verdict)).to.match(
        /^canary .*slower than prod on GET \/get over the last [\d,]+ canary requests; evidence/,
      );
    });

  it("detects that it fails one request in ten after ten healthy minutes", () => {
    const release = new TestedRelease(42);
    release.hear(1200);
    release.respond = (side, route, random) => ({
      ...healthy(side, route, random),
      isError: side === "canary" && random() < 0.1,
    });
    expect(describeWorse(release.until("worse", 20))).to.match(
      /^canary fails /,
    );
  });

  it("restarts its stakes when the canary's weight grows, also after a restoration", () => {
    const release = new TestedRelease(45);
    const hear = (weight: number, windows: number) => {
      for (let i = 0; i < windows; i++) {
        release.atMs += 500;
        const pair = { ...release.createPair(), weight };
        release.test.observe(pair, release.baseline);
      }
      return release.test.toStored();
    };
    expect(hear(0, 61)).to.include({ restartsBegun: 0 });
    expect(hear(2, 61)).to.include({ restartsBegun: 0 });
    expect(hear(10, 1)).to.include({ weight: 10, hasGrown: true });
    release.test = ReleaseTest.restore(release.test.toStored());
    const grown = hear(10, 121);
    expect(grown).to.include({ restartsBegun: 1, hasGrown: false });
    expect(hear(2, 61)).to.include({ restartsBegun: 1, weight: 10 });
  });

  it("keeps two restarts, at least five minutes and 400 canary requests apart", () => {
    const release = new TestedRelease(43);
    release.hear(2900);
    const busy = release.test.toStored();
    expect(busy.restartsBegun).to.equal(4);
    expect(busy.restarts.map(({ number }) => number)).to.deep.equal([3, 4]);
    const quiet = new TestedRelease(44);
    quiet.requestsPerWindow = 1;
    quiet.hear(3000);
    expect(quiet.test.toStored().restartsBegun).to.equal(1);
  });
});

describe("verdict by route", () => {
  it("ignores a slow route that only the canary serves", () => {
    const release = new TestedRelease(21);
    release.routes = ["GET /get", "GET /slow"];
    release.respond = (side, route, random) => {
      if (route !== "GET /slow") return healthy(side, route, random);
      return side === "canary"
        ? { latencyMs: 1000 }
        : { latencyMs: 1, isUnknown: true };
    };
    release.hear(800);
    const verdict = release.judge();
    expect(verdict.outcome).to.equal("healthy");
    expect(
      verdict.routes.find(({ route }) => route === "GET /slow")?.because,
    ).to.equal("prod does not serve it, or fails on it");
  });

  it("compares a route only once prod has enough requests on it", () => {
    const release = new TestedRelease(22);
    release.hear(40);
    release.routes = ["GET /get", "POST /set"];
    release.respond = (side, route, random) =>
      route === "POST /set"
        ? slowerBy(2)(side, route, random)
        : healthy(side, route, random);
    release.hear(2);
    expect(
      release.judge().routes.find(({ route }) => route === "POST /set")
        ?.because,
    ).to.match(/^prod has answered \d+ requests, 200 are needed/);
    const verdict = release.until("worse");
    expect(describeWorse(verdict)).to.match(/slower than prod on POST \/set/);
  });

  it("detects one slow route among ten of different speeds", () => {
    const release = new TestedRelease(23);
    release.routes = Array.from({ length: 10 }, (_, i) => `GET /r${i}`);
    const base = (route: string) => 2 ** (Number(route.slice(6)) / 2);
    release.respond = (side, route, random) => ({
      latencyMs: base(route) * healthy(side, route, random).latencyMs,
    });
    release.hear(200);
    expect(release.judge().outcome).to.equal("healthy");
    release.respond = (side, route, random) => {
      const { latencyMs } = healthy(side, route, random);
      const factor = side === "canary" && route === "GET /r7" ? 3 : 1;
      return { latencyMs: base(route) * latencyMs * factor };
    };
    expect(describeWorse(release.until("worse"))).to.match(/on GET \/r7 after/);
  });

  it("compares routes beyond the fiftieth together, and detects a slow one", () => {
    const release = new TestedRelease(25);
    release.requestsPerWindow = 500;
    release.routes = Array.from({ length: 60 }, (_, i) => `GET /r${i}`);
    release.hear(120);
    const { outcome, routes } = release.judge();
    expect(outcome).to.equal("healthy");
    expect(routes).to.have.length(51);
    const slow = Array.from({ length: 60 }, (_, i) => `GET /r${i}`).filter(
      (name) => !routes.some(({ route }) => route === name),
    );
    expect(slow).to.have.length(10);
    release.respond = (side, route, random) =>
      (slow.includes(route) ? slowerBy(3) : healthy)(side, route, random);
    expect(describeWorse(release.until("worse"))).to.match(/on other /);
  });

  it("frees the place of an unused route, unless it is compared", () => {
    const release = new TestedRelease(26);
    release.routes = ["GET /get", "GET /once"];
    release.hear(1);
    release.routes = ["GET /get"];
    release.hear(1150);
    const names = () => release.judge().routes.map(({ route }) => route);
    expect(names()).to.have.members(["GET /get", "GET /once"]);
    release.hear(120);
    expect(names()).to.have.members(["GET /get"]);
    release.routes = ["GET /set"];
    release.hear(1300);
    expect(names()).to.have.members(["GET /get", "GET /set"]);
  });

  it("is not healthy if one route in ten looks slower", () => {
    const release = new TestedRelease(24);
    release.routes = Array.from({ length: 10 }, (_, i) => `GET /r${i}`);
    release.hear(60);
    release.test = new ReleaseTest({
      startedAt: release.atMs,
      attempt: 0,
      rules: RULES,
    });
    release.respond = (side, route, random) =>
      (route === "GET /r7" ? slowerBy(2) : healthy)(side, route, random);
    const told = new Set<string | null>();
    for (;;) {
      release.hear(1);
      const { outcome, because, canary } = release.judge();
      if (outcome === "worse") break;
      expect(outcome).not.to.equal("healthy");
      if (canary.requests >= 400) told.add(because);
    }
    expect([...told]).to.include("GET /r7 looks slower");
  });
});
