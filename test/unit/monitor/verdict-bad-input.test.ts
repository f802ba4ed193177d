import { expect } from "chai";
import type { Verdict } from "../../../apps/monitor/verdict/verdict.js";
import type { WindowPair } from "../../../apps/monitor/verdict/window-pair.js";
import { SLOT_MS, type DealtDeck } from "../../../lib/telemetry/decks.js";
import type { Side } from "../../../lib/telemetry/telemetry.js";
import {
  healthy,
  routeWindow,
  slowerBy,
  TestedRelease,
  windowPair,
} from "../../support/monitor/verdict-traffic.js";

/** A test that is about to stop a canary three times as slow. */
function startSuspecting(seed: number): TestedRelease {
  const release = new TestedRelease(seed);
  release.hear(8);
  release.respond = slowerBy(3);
  while (release.judge().latency.raw < 5) release.hear(1);
  expect(release.judge().outcome).to.equal("insufficient");
  return release;
}

function expectNumbers(verdict: Verdict): void {
  // JSON turns NaN into null.
  const { evidence, latency, errors, split } = JSON.parse(
    JSON.stringify(verdict),
  ) as Verdict;
  const { raw, trimmed, guarded } = latency;
  for (const value of [evidence, raw, trimmed, guarded, errors, split])
    expect(value).to.be.a("number");
}

function expectSuspended(release: TestedRelease, because: RegExp): void {
  const verdict = release.judge();
  expect(verdict.outcome).to.be.null;
  expect(verdict.because).to.match(because);
  expectNumbers(verdict);
}

/** A pair with this window of the canary on the route. */
function withRoute(
  atMs: number,
  fields: Parameters<typeof routeWindow>[1],
): WindowPair {
  const good = routeWindow([{ latencyMs: 100 }]);
  return windowPair(atMs, {
    prod: { "GET /get": good },
    canary: { "GET /get": { ...good, ...fields } },
  });
}

/** A pair with decks in these slots from now on. */
function withDecks(atMs: number, slots: readonly number[]): WindowPair {
  const now = Math.floor(atMs / SLOT_MS);
  const requests: DealtDeck["requests"] = [
    ["GET /get", 640],
    ["GET /get", 640],
  ];
  const decks = slots.map((slot) => ({
    slot: now + slot,
    np: 1,
    nc: 1,
    requests,
  }));
  return windowPair(atMs, {}, { decks });
}

describe("verdict from bad input", () => {
  it("has no verdict without any request", () => {
    const release = new TestedRelease(31);
    expectSuspended(release, /^the canary has had no request yet$/);
    release.requestsPerWindow = 0;
    release.hear(400);
    expectSuspended(release, /^the canary has had no request yet$/);
  });

  for (const [side, because] of [
    ["prod", /^the canary has had no request yet/],
    ["canary", /^prod has had no request yet/],
  ] as [Side, RegExp][])
    it(`has no verdict when only ${side} has requests`, () => {
      const release = new TestedRelease(32);
      for (let i = 0; i < 200; i++) {
        release.atMs += 500;
        const slow = routeWindow(
          Array.from({ length: 20 }, () => ({ latencyMs: 900 })),
        );
        release.test.observe(
          windowPair(release.atMs, { [side]: { "GET /get": slow } }),
          release.baseline,
        );
      }
      expectSuspended(release, because);
    });

  it("never stops on canary requests alone after prod has fallen silent", () => {
    const release = new TestedRelease(33);
    release.hear(40);
    for (let i = 0; i < 200; i++) {
      release.atMs += 500;
      const slow = routeWindow(
        Array.from({ length: 20 }, () => ({ latencyMs: 900 })),
      );
      release.test.observe(
        windowPair(release.atMs, { canary: { "GET /get": slow } }),
        release.baseline,
      );
    }
    const { outcome } = release.judge();
    expect(outcome).to.equal("split broken");
  });

  for (const share of [0, 1])
    it(`has nothing to compare at a canary’s share of ${share}, also in a running test`, () => {
      const release = new TestedRelease(34);
      const hearOneSided = (windows: number) => {
        for (let i = 0; i < windows; i++) {
          release.atMs += 500;
          release.test.observe(
            { ...release.createPair(), share },
            release.baseline,
          );
        }
      };
      hearOneSided(25);
      expectSuspended(
        release,
        /^nothing to compare: the split sends all requests/,
      );
      release.hear(400);
      expect(release.judge().outcome).to.equal("healthy");
      hearOneSided(25);
      expectSuspended(
        release,
        /^nothing to compare: the split sends all requests/,
      );
    });

  it("keeps comparing while the split of one of several proxies is one-sided", () => {
    const release = new TestedRelease(34);
    for (let i = 0; i < 400; i++) {
      release.hear(1);
      const idle = windowPair(release.atMs, {}, { share: 0 });
      release.test.observe(idle, release.baseline);
    }
    expect(release.judge().outcome).to.equal("healthy");
  });

  const flaws: [string, (atMs: number) => WindowPair, RegExp][] = [
    [
      "a proxy that does not report its split",
      (atMs) => windowPair(atMs, {}, { share: undefined }),
      /does not report its split/,
    ],
    [
      "more errors than requests",
      (atMs) => withRoute(atMs, { errors: 2 }),
      /3 answers of 1 requests/,
    ],
    [
      "more latencies than requests",
      (atMs) => withRoute(atMs, { latency: [[100, 2]] }),
      /2 latencies of 1 requests/,
    ],
    [
      "a proxy that sends no decks",
      (atMs) => windowPair(atMs, {}, { decks: undefined }),
      /proxy@edge1:8080 sends no decks: it is of another release/,
    ],
    [
      "decks that cannot be right",
      (atMs) => windowPair(atMs, {}, { decks: "101 decks in a window" }),
      /not counted: 101 decks in a window/,
    ],
    [
      "slots that go backwards",
      (atMs) => withDecks(atMs, [-4, -5]),
      /decks whose slots go backwards/,
    ],
    [
      "a deck from the future",
      (atMs) => withDecks(atMs, [9]),
      /a deck from the future/,
    ],
  ];
  for (const [name, create, because] of flaws)
    it(`suspends the verdict on ${name}, and continues ten seconds later`, () => {
      const release = startSuspecting(35);
      const before = release.judge();
      release.atMs += 500;
      release.test.observe(create(release.atMs), release.baseline);
      expectSuspended(release, because);
      expect(release.judge().canary).to.deep.equal(before.canary);
      release.hear(18);
      expect(release.judge().outcome).to.be.null;
      release.hear(3);
      expect(release.judge().outcome).to.equal("worse");
    });

  it("suspends the verdict when the clock jumps forward", () => {
    const release = startSuspecting(36);
    release.atMs += 3_600_000;
    release.hear(1);
    expectSuspended(
      release,
      /the clock jumped, or no window arrived for 36\d\d s/,
    );
    release.hear(30);
    expect(release.judge().outcome).to.equal("worse");
  });

  it("suspends the verdict after Redis’s clock was set back, and continues later", () => {
    const release = new TestedRelease(36);
    release.hear(400);
    expect(release.judge().outcome).to.equal("healthy");
    const hearAtOnce = (windows: number) => {
      for (let i = 0; i < windows; i++)
        release.test.observe(release.createPair(), release.baseline);
    };
    hearAtOnce(10);
    expect(release.judge().outcome).to.equal("healthy");
    release.respond = slowerBy(3);
    for (let i = 0; i < 100; i++) {
      hearAtOnce(1);
      expectSuspended(release, /clock was set back, or stands still/);
    }
    release.hear(19);
    expectSuspended(release, /clock was set back, or stands still/);
    // After 200 healthy seconds, what has changed is scatter at first.
    release.until("worse", 32);
  });

  it("accepts windows of many proxies with the same time", () => {
    const release = new TestedRelease(36);
    release.hear(400);
    for (let i = 0; i < 100; i++)
      release.test.observe(
        { ...release.createPair(), proxy: `proxy@edge${i}:8080` },
        release.baseline,
      );
    expect(release.judge().outcome).to.equal("healthy");
  });

  it("never stops while the clock jumps with every window", () => {
    const release = startSuspecting(37);
    for (let i = 0; i < 100; i++) {
      release.atMs += i % 2 === 0 ? 7_200_000 : -500;
      release.hear(1);
      expectSuspended(release, /the clock/);
    }
  });

  it("accepts a restarted proxy that counts from zero", () => {
    const release = new TestedRelease(38);
    release.hear(200);
    release.requestsPerWindow = 0;
    release.hear(20);
    release.requestsPerWindow = 50;
    release.hear(400);
    expect(release.judge().outcome).to.equal("healthy");
  });

  it("keeps a bounded number of routes, whatever the paths", () => {
    const release = new TestedRelease(39);
    let next = 0;
    release.respond = healthy;
    for (let i = 0; i < 100; i++) {
      release.routes = Array.from({ length: 50 }, () => `GET /${next++}`);
      release.hear(1);
    }
    expect(release.test.toStored().compared.length).to.be.at.most(51);
    expect(release.test.toStored().seen.length).to.be.at.most(51);
    expect(release.judge().routes.length).to.be.at.most(51);
    expect(release.baseline.toStored().length).to.be.at.most(51);
  });
});
