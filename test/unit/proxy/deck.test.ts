import { expect } from "chai";
import { Dealer, DeckAdmission } from "../../../apps/proxy/dealing/deck.js";
import { SPLIT_HOLDS } from "../../../apps/proxy/dealing/weight.js";
import {
  CLIENT_CLOSED,
  TrafficRecorder,
  type PendingRequest,
} from "../../../apps/proxy/traffic/traffic-recorder.js";
import { TrafficSum } from "../../../apps/proxy/traffic/traffic-sum.js";
import {
  decodeDecks,
  deckBucketOf,
  encodeDecks,
  SLOT_MS,
  TOP_DECK_BUCKET,
  type DealtDeck,
} from "../../../lib/telemetry/decks.js";
import { parseRatio } from "../../../lib/telemetry/split-ratio.js";
import { createSeededRandom } from "../../support/seeded-random.js";

const OK = { status: 200, rescued: false };
const ASKED = { method: "GET", url: "/a" };

/** A thread that deals and records, with the proxy's admission of decks. */
class Thread {
  era = 0;
  weight = SPLIT_HOLDS;
  readonly recorder: TrafficRecorder;
  readonly #dealer: Dealer;

  constructor(ratio: string, admission = createAdmission(), seed = 1) {
    this.#dealer = new Dealer({
      split: parseRatio(ratio)!,
      readWeight: () => this.weight,
      admission,
      random: createSeededRandom(seed),
    });
    this.recorder = new TrafficRecorder(0);
  }

  begin(now: number): PendingRequest {
    const picked = this.#dealer.deal(this.era, now);
    return this.recorder.begin(picked, now, ASKED);
  }

  beginMany(count: number, now: number): PendingRequest[] {
    return Array.from({ length: count }, () => this.begin(now));
  }

  /** Deals and answers whole decks after `waitedMs`. */
  serve(count: number, now: number, waitedMs = 10): void {
    for (const pending of this.beginMany(count, now))
      this.recorder.finish(pending, OK, now + waitedMs);
  }

  takeDecks(now: number): DealtDeck[] {
    return this.recorder.takeWindow(now).decks;
  }
}

function createAdmission(): DeckAdmission {
  return new DeckAdmission(new Int32Array(1));
}

describe("proxy deck", () => {
  it("reports its requests with their latencies in 1/64 octaves, the canary's first", () => {
    const thread = new Thread("3:1");
    for (const pending of thread.beginMany(4, 0))
      thread.recorder.finish(pending, OK, pending.side === "canary" ? 50 : 20);
    const [deck, ...others] = thread.takeDecks(500);
    expect(others).to.deep.equal([]);
    expect(deck).to.deep.include({ np: 3, nc: 1 });
    expect(deck!.requests).to.deep.equal([
      ["GET /a", deckBucketOf(50)],
      ...Array.from({ length: 3 }, () => ["GET /a", deckBucketOf(20)]),
    ]);
    expect(thread.takeDecks(1000)).to.deep.equal([]);
  });

  for (const [ratio, np, nc] of [
    ["2:2", 1, 1],
    ["1:3", 1, 3],
    ["3:2", 3, 2],
    ["98:2", 49, 1],
    ["99:1", 99, 1],
  ] as const)
    it(`has the requests of ${ratio} in lowest terms`, () => {
      const thread = new Thread(ratio);
      thread.serve(np + nc, 0);
      const decks = thread.takeDecks(500);
      expect(decks).to.have.length(1);
      expect(decks[0]).to.deep.include({ np, nc });
      expect(decks[0]!.requests).to.have.length(np + nc);
    });

  it("has at most 100 requests, and is none without a request of each side", () => {
    const thread = new Thread("999:1");
    thread.serve(1000, 0);
    const [deck, ...others] = thread.takeDecks(500);
    expect(others).to.deep.equal([]);
    expect(deck).to.deep.include({ np: 99, nc: 1 });
  });

  it("is dropped when the weight changes before its last pick, and a new block begins", () => {
    for (let before = 1; before < 4; before++) {
      const thread = new Thread("3:1");
      thread.serve(before, 0);
      thread.weight = 5000;
      thread.serve(2, 100);
      expect(thread.takeDecks(500)).to.have.length(1);
      const block = thread.beginMany(10, 600).map(({ side }) => side);
      expect(block.filter((side) => side === "canary")).to.have.length(5);
    }
  });

  it("counts whichever weight follows, once it was dealt", () => {
    const thread = new Thread("3:1");
    const dealt = thread.beginMany(4, 0);
    thread.weight = 1000;
    thread.begin(10);
    for (const pending of dealt) thread.recorder.finish(pending, OK, 20);
    expect(thread.takeDecks(500)).to.have.length(1);
  });

  for (const ratio of ["1:0", "0:1"])
    it(`is none at ${ratio}`, () => {
      const thread = new Thread(ratio);
      thread.serve(10, 0);
      expect(thread.takeDecks(500)).to.deep.equal([]);
    });

  for (const [ratio, side] of [
    ["3:1", "canary"],
    ["1:3", "prod"],
    ["3:2", "canary"],
  ] as const)
    it(`has the slot of its first request on the ${side} at ${ratio}`, () => {
      const thread = new Thread(ratio);
      const length = ratio === "3:2" ? 5 : 4;
      const wallOffsetMs = Date.now();
      let singleAt: number | undefined;
      for (let pick = 0; pick < length; pick++) {
        const now = pick * 2000;
        const pending = thread.begin(now);
        if (pending.side === side) singleAt ??= now;
        thread.recorder.finish(pending, OK, now + 5);
      }
      const [deck] = thread.takeDecks(0);
      const expected = (wallOffsetMs + singleAt!) / SLOT_MS;
      expect(deck!.slot).to.be.within(Math.floor(expected), expected + 2);
    });

  for (const [name, outcome] of [
    ["failed", { status: 500, rescued: false }],
    ["was rescued", { status: 200, rescued: true }],
    ["was left by its client", { status: CLIENT_CLOSED, rescued: false }],
  ] as const)
    it(`is dropped if any of its requests ${name}`, () => {
      for (let bad = 0; bad < 4; bad++) {
        const thread = new Thread("3:1");
        for (const [i, pending] of thread.beginMany(4, 0).entries())
          thread.recorder.finish(pending, i === bad ? outcome : OK, 10);
        thread.serve(4, 20);
        expect(thread.takeDecks(500)).to.have.length(1);
      }
    });

  it("is dropped if the canary was closed before its last pick", () => {
    for (let before = 1; before < 4; before++) {
      const thread = new Thread("3:1");
      thread.serve(before, 0);
      thread.era += 1;
      thread.serve(4 - before, 100);
      expect(thread.takeDecks(500)).to.deep.equal([]);
      thread.serve(4, 600);
      expect(thread.takeDecks(1000)).to.have.length(1);
    }
  });

  it("counts a request without an answer as the slowest 10 s after its last pick, whichever side", () => {
    for (let waiting = 0; waiting < 4; waiting++) {
      const thread = new Thread("3:1");
      const dealt = thread.beginMany(4, 0);
      // Its route is known once another request was answered.
      for (const [i, pending] of dealt.entries())
        if (i !== waiting) thread.recorder.finish(pending, OK, 10);
      expect(thread.takeDecks(9_999)).to.deep.equal([]);
      const [deck] = thread.takeDecks(10_001);
      const tops = deck!.requests.filter(
        ([, bucket]) => bucket === TOP_DECK_BUCKET,
      );
      expect(tops).to.deep.equal([["GET /a", TOP_DECK_BUCKET]]);
      thread.recorder.finish(dealt[waiting]!, OK, 11_000);
      expect(thread.takeDecks(11_500)).to.deep.equal([]);
    }
  });

  it("counts an answer after 10 s like none, if the window ends later", () => {
    const thread = new Thread("3:1");
    const [late, ...others] = thread.beginMany(4, 0);
    for (const pending of others) thread.recorder.finish(pending, OK, 10);
    thread.recorder.finish(late!, { status: 504, rescued: false }, 10_100);
    const [deck] = thread.takeDecks(10_500);
    const buckets = deck!.requests.map(([, bucket]) => bucket);
    expect(buckets).to.include(TOP_DECK_BUCKET);
  });
});

describe("proxy decks of a window", () => {
  /** Threads of one proxy, and the sum of what they recorded. */
  function startThreads(ratio: string, count: number) {
    const admission = createAdmission();
    const threads = Array.from(
      { length: count },
      (_, i) => new Thread(ratio, admission, i + 1),
    );
    const sum = new TrafficSum(0, () => admission.renew());
    const takeWindow = (now: number) => {
      for (const { recorder } of threads)
        sum.add(recorder, recorder.takeWindow(now));
      return sum.takeWindows(now, SPLIT_HOLDS).at(-1)!.decks;
    };
    return { threads, takeWindow };
  }

  it("are the first 100 that all threads dealt", () => {
    const { threads, takeWindow } = startThreads("3:1", 3);
    for (let i = 0; i < 60; i++)
      for (const thread of threads) thread.serve(4, i);
    expect(takeWindow(500)).to.have.length(100);
    expect(takeWindow(1000)).to.deep.equal([]);
    threads[0]!.serve(4, 1001);
    expect(takeWindow(1500)).to.have.length(1);
  });

  it("are chosen before any answer is known", () => {
    const { threads, takeWindow } = startThreads("3:1", 1);
    const [{ recorder }, [thread]] = [threads[0]!, threads] as const;
    const slow = thread!.beginMany(400, 0);
    // Dealt after the first hundred: their fast answers do not replace the slow ones.
    thread!.serve(400, 1, 1);
    expect(takeWindow(500)).to.deep.equal([]);
    for (const pending of slow) recorder.finish(pending, OK, 700);
    const decks = takeWindow(1000);
    expect(decks).to.have.length(100);
    const buckets = decks.flatMap(({ requests }) =>
      requests.map(([, bucket]) => bucket),
    );
    expect(new Set(buckets)).to.deep.equal(new Set([deckBucketOf(700)]));
  });

  it("wait for the next window beyond 100, the first dealt first", () => {
    const { threads, takeWindow } = startThreads("3:1", 1);
    const [thread] = threads;
    const first = thread!.beginMany(400, 0);
    expect(takeWindow(500)).to.deep.equal([]);
    const second = thread!.beginMany(40, 1000);
    for (const pending of [...second, ...first])
      thread!.recorder.finish(pending, OK, 1001);
    const slots = takeWindow(1500).map(({ slot }) => slot);
    expect(slots).to.have.length(100);
    const rest = takeWindow(2000).map(({ slot }) => slot);
    expect(rest).to.have.length(10);
    expect(Math.min(...rest)).to.be.above(Math.max(...slots));
  });

  it("hold about a thousand requests at most, whatever the ratio", () => {
    const { threads, takeWindow } = startThreads("49:1", 1);
    threads[0]!.serve(50 * 30, 0);
    expect(takeWindow(500)).to.have.length(20);
  });
});

describe("deck on the wire", () => {
  const deck: DealtDeck = {
    slot: 7_000_000_000,
    np: 1,
    nc: 1,
    requests: [
      ["GET /b", 640],
      ["GET /a", 0],
    ],
  };

  it("is read as it was sent", () => {
    const sent = encodeDecks([deck, deck]);
    expect(sent.deckRoutes).to.deep.equal(["GET /b", "GET /a"]);
    expect(sent.decks[0]).to.deep.equal([
      7_000_000_000,
      1,
      1,
      [0, 640],
      [1, 0],
    ]);
    expect(decodeDecks(sent)).to.deep.equal([deck, deck]);
  });

  for (const [name, bad, because] of [
    ["an unknown route", [1, 1, 1, [2, 5], [0, 5]], /unknown route/],
    ["a bucket out of range", [1, 1, 1, [0, 1281], [0, 5]], /bucket 1281/],
    ["a negative bucket", [1, 1, 1, [0, -1], [0, 5]], /bucket -1/],
    ["no request for prod", [1, 0, 1, [0, 5]], /deck of 0:1/],
    ["no request for the canary", [1, 1, 0, [0, 5]], /deck of 1:0/],
    ["too few requests", [1, 3, 1, [0, 5]], /1 requests in a deck of 3:1/],
    ["a slot that is no number", ["x", 1, 1, [0, 5], [0, 5]], /slot x/],
    ["a request that is no pair", [1, 1, 1, 5, [0, 5]], /unknown route/],
  ] as const)
    it(`is refused with ${name}`, () => {
      const sent = { decks: [bad], deckRoutes: ["GET /a"] };
      expect(decodeDecks(sent)).to.match(because);
    });

  it("is refused with more than 100 in a window", () => {
    const sent = encodeDecks(Array.from({ length: 101 }, () => deck));
    expect(decodeDecks(sent)).to.equal("101 decks in a window");
  });
});
