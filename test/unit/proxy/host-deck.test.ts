import { expect } from "chai";
import { DeckAdmission } from "../../../apps/proxy/dealing/deck.js";
import { HostDealer } from "../../../apps/proxy/dealing/host-deck.js";
import { SPLIT_HOLDS } from "../../../apps/proxy/dealing/weight.js";
import { Upstreams } from "../../../apps/proxy/engines/upstreams.js";
import {
  TrafficRecorder,
  type PendingRequest,
} from "../../../apps/proxy/traffic/traffic-recorder.js";
import { TrafficSum } from "../../../apps/proxy/traffic/traffic-sum.js";
import { deckBucketOf, TOP_DECK_BUCKET } from "../../../lib/telemetry/decks.js";
import {
  decodeHostDecks,
  encodeHostDecks,
  MOST_HOST_DECKS,
  type HostDeck,
} from "../../../lib/telemetry/host-decks.js";
import { parseTelemetry } from "../../../lib/telemetry/telemetry.js";
import { createSeededRandom } from "../../support/seeded-random.js";

const OK = { status: 200, rescued: false };
const ASKED = { method: "GET", url: "/a" };

/** A proxy's thread whose prod has so many hosts. */
class Thread {
  readonly upstreams: Upstreams;
  readonly #admission = new DeckAdmission(new Int32Array(1), MOST_HOST_DECKS);
  readonly #recorder = new TrafficRecorder(0);
  readonly #sum = new TrafficSum(0, () => this.#admission.renew());
  readonly #dealer: HostDealer;

  constructor(hosts: number, seed = 1) {
    const origins = Array.from(
      { length: hosts },
      (_, i) => new URL(`http://10.0.0.${i + 1}:80`),
    );
    const random = createSeededRandom(seed);
    this.upstreams = new Upstreams("prod", origins, random);
    this.#dealer = new HostDealer(this.upstreams.all, this.#admission);
  }

  begin(now = 0): { pending: PendingRequest; host: string } {
    const picked = { side: "prod", by: "closed" } as const;
    const pending = this.#recorder.begin(picked, now, ASKED);
    const upstream = this.upstreams.next(now);
    const { round } = this.upstreams;
    pending.seat = this.#dealer.deal(upstream, round, now);
    return { pending, host: upstream.name };
  }

  /** @param wait ms, by host */
  serve(count: number, wait: (host: string) => number = () => 10): void {
    for (let i = 0; i < count; i++) {
      const { pending, host } = this.begin();
      this.finish(pending, wait(host));
    }
  }

  finish(pending: PendingRequest, now = 10, outcome = OK): void {
    this.#recorder.finish(pending, outcome, now);
  }

  takeDecks(now = 500): HostDeck[] {
    this.#sum.add(this, this.#recorder.takeWindow(now));
    return this.#sum.takeWindows(now, SPLIT_HOLDS).at(-1)!.hostDecks;
  }
}

describe("proxy deck of prod's hosts", () => {
  for (const hosts of [2, 3, 7])
    it(`is a round over ${hosts} hosts, the compared one first`, () => {
      const thread = new Thread(hosts);
      const [{ compared }] = measure(hosts) as [HostDeck];
      thread.serve(3 * hosts, (host) => (host === compared ? 50 : 20));
      const decks = thread.takeDecks();
      expect(decks).to.have.length(3);
      for (const deck of decks) {
        expect(deck).to.deep.include({ compared, np: hosts - 1, nc: 1 });
        expect(deck.requests).to.deep.equal([
          ["GET /a", deckBucketOf(50)],
          ...Array.from({ length: hosts - 1 }, () => [
            "GET /a",
            deckBucketOf(20),
          ]),
        ]);
      }
    });

  function measure(hosts: number): HostDeck[] {
    const thread = new Thread(hosts);
    thread.serve(hosts);
    return thread.takeDecks();
  }

  it("gives the compared host each place of a round alike", () => {
    const thread = new Thread(2);
    let first = 0;
    let decks = 0;
    while (decks < 2000) {
      const [one, other] = [thread.begin(), thread.begin()];
      thread.finish(one.pending, 10);
      thread.finish(other.pending, 100);
      for (const { requests } of thread.takeDecks()) {
        decks += 1;
        if (requests[0]![1] === deckBucketOf(10)) first += 1;
      }
    }
    expect(first).to.be.within(888, 1112);
  });

  it("is none with one host", () => {
    const thread = new Thread(1);
    thread.serve(10);
    expect(thread.takeDecks()).to.deep.equal([]);
  });

  it("is recorded ten times in a window, the first ones", () => {
    const thread = new Thread(2);
    thread.serve(2 * 10, () => 10);
    thread.serve(2 * 30, () => 20);
    const decks = thread.takeDecks();
    expect(decks).to.have.length(10);
    for (const { requests } of decks)
      expect(requests[1]![1]).to.equal(deckBucketOf(10));
    thread.serve(2);
    expect(thread.takeDecks()).to.have.length(1);
  });

  it("has 200 requests in a window at most", () => {
    const thread = new Thread(50);
    thread.serve(50 * 10);
    expect(thread.takeDecks()).to.have.length(4);
  });

  it("is dropped if a request fails, is tried again or has no end of its round", () => {
    const failed = new Thread(2);
    const { pending } = failed.begin();
    failed.finish(pending, 10, { status: 502, rescued: false });
    failed.serve(1);
    expect(failed.takeDecks()).to.deep.equal([]);

    const retried = new Thread(3);
    retried.serve(2);
    // A retry takes a host of the round.
    retried.upstreams.next(0);
    retried.serve(3);
    expect(retried.takeDecks()).to.have.length(1);
  });

  it("is dropped if a host is avoided at its turn, though the round has it later", () => {
    for (let seed = 0; seed < 20; seed++) {
      const thread = new Thread(2, seed);
      thread.upstreams.avoid(thread.upstreams.all[0]!, -1999);
      const { pending, host } = thread.begin(0);
      expect(host).to.equal("10.0.0.2:80");
      thread.finish(pending);
      const next = thread.begin(1);
      thread.finish(next.pending);
      // As drawn, or not: both hosts were taken in one round.
      const isDrawn = thread.upstreams.round.isAsDrawn;
      expect(thread.takeDecks()).to.have.length(isDrawn ? 1 : 0);
      if (!isDrawn) return;
    }
    expect.fail("no round left its order");
  });

  it("counts a request without an answer as the slowest after 10 s", () => {
    const thread = new Thread(2);
    const [waiting, answered] = [thread.begin(), thread.begin()];
    thread.finish(answered.pending);
    expect(thread.takeDecks(9_999)).to.deep.equal([]);
    const [deck] = thread.takeDecks(10_001);
    const buckets = deck!.requests.map(([, bucket]) => bucket);
    expect(buckets).to.include(TOP_DECK_BUCKET);
    thread.finish(waiting.pending, 11_000);
    expect(thread.takeDecks(11_500)).to.deep.equal([]);
  });
});

describe("decks of prod's hosts on the wire", () => {
  const deck: HostDeck = {
    ...{ slot: 7_000_000_000, np: 1, nc: 1, compared: "10.0.0.1:80" },
    requests: [
      ["GET /b", 640],
      ["GET /a", 0],
    ],
  };

  it("are read as they were sent", () => {
    const sent = encodeHostDecks(2, [deck, deck]);
    expect(sent).to.deep.include({ hosts: 2, compared: "10.0.0.1:80" });
    expect(decodeHostDecks(sent)).to.deep.equal([deck, deck]);
    expect(decodeHostDecks(encodeHostDecks(2, []))).to.deep.equal([]);
  });

  it("are ignored if they cannot be right", () => {
    const sent = encodeHostDecks(2, [deck]);
    for (const bad of [
      { ...sent, compared: null },
      { ...sent, decks: [[1, 1, 1, [0, 5000], [0, 5]]] },
      { ...sent, decks: [[1, 1, 2, [0, 5], [0, 5], [0, 5]]] },
      encodeHostDecks(2, new Array<HostDeck>(11).fill(deck)),
    ])
      expect(decodeHostDecks(bad)).to.equal(undefined);
  });

  it("leave a window as it is if they are malformed", () => {
    for (const hostDecks of ["x", 3, {}, { hosts: 2, decks: "many" }, null]) {
      const data = {
        ...{ target: "prod", requests: 0, errors: 0, status: {} },
        ...{ latency: [], arms: { chosen: 0, retried: 0 }, hostDecks },
      };
      const parsed = parseTelemetry([
        ...["kind", "traffic", "source", "proxy@a:1", "at", "1"],
        ...["data", JSON.stringify(data)],
      ]);
      expect(parsed).not.to.have.property("problem");
      expect(parsed).not.to.have.nested.property("data.hostDecks.hosts");
    }
  });
});
