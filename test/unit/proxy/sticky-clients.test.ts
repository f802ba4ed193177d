import { expect } from "chai";
import { Dealer, DeckAdmission } from "../../../apps/proxy/dealing/deck.js";
import type { Picked } from "../../../apps/proxy/dealing/side-picker.js";
import {
  SIDE_COOKIE,
  StickyClients,
} from "../../../apps/proxy/dealing/sticky-clients.js";
import { SPLIT_HOLDS } from "../../../apps/proxy/dealing/weight.js";
import type { Side } from "../../../lib/telemetry/telemetry.js";
import { createSeededRandom } from "../../support/seeded-random.js";

/** A thread of a proxy at a weight, in percent. */
class Thread {
  weight: number | undefined;
  rollout = 41n;
  readonly #dealer: Dealer;
  readonly #sticky: StickyClients;

  constructor(seed = 1) {
    const random = createSeededRandom(seed);
    const split = { prod: 3, canary: 1 };
    this.#dealer = new Dealer({
      split,
      random,
      readWeight: () =>
        this.weight === undefined ? SPLIT_HOLDS : Math.round(this.weight * 100),
      admission: new DeckAdmission(new Int32Array(1)),
    });
    const readRollout = () => this.rollout;
    const options = { dealer: this.#dealer, split, readRollout };
    this.#sticky = new StickyClients(options, random);
  }

  pick(cookies?: string): Picked {
    return (
      this.#sticky.keep(cookies) ?? this.#sticky.admit(this.#dealer.deal(0, 0))
    );
  }
}

/** A browser: it sends back the cookie that it was given last. */
class Client {
  cookie: string | undefined;
  asks(thread: Thread): Side {
    const { side, setCookie } = thread.pick(this.cookie);
    this.cookie = setCookie?.split(";", 1)[0] ?? this.cookie;
    return side;
  }
}

const createClients = (count: number) =>
  Array.from({ length: count }, () => new Client());
const onCanary = (clients: readonly Client[], thread: Thread) =>
  new Set(clients.filter((client) => client.asks(thread) === "canary"));

describe("proxy sticky clients", () => {
  it("deals clients exactly in blocks, each once, and only its first request is in a deck", () => {
    const thread = new Thread();
    const clients = createClients(400);
    const first = onCanary(clients, thread);
    expect(first.size).to.equal(100);
    for (let i = 0; i < 3; i++)
      expect(onCanary(clients, thread)).to.deep.equal(first);
    const again = thread.pick(clients[0]!.cookie);
    expect(again).to.include({ by: "kept", setCookie: undefined });
    expect(again.deck).to.equal(undefined);
    const fresh = thread.pick();
    expect(fresh.by).to.equal("dealt");
    expect(fresh.setCookie).to.match(
      /^serin-side=(prod|canary)\.41\.\d{4}; Path=\/; HttpOnly; SameSite=Lax$/,
    );
  });

  for (const threads of [1, 2])
    it(`moves nobody back while the weight grows, and no more than needed, over ${threads} threads`, () => {
      const all = Array.from({ length: threads }, (_, i) => new Thread(i + 1));
      const clients = createClients(2000);
      let before = new Set<Client>();
      for (const weight of [0, 2, 7.5, 10, 25, 33.33, 50, 99.99, 100]) {
        for (const thread of all) thread.weight = weight;
        const canaries = new Set<Client>();
        for (const [i, client] of clients.entries())
          if (client.asks(all[i % threads]!) === "canary") canaries.add(client);
        for (const client of before)
          expect(canaries.has(client)).to.equal(true);
        const exact = (clients.length * weight) / 100;
        expect(canaries.size, String(weight)).to.be.closeTo(exact, 4 * threads);
        before = canaries;
      }
    });

  it("deals new clients exactly by the weight of that moment", () => {
    const thread = new Thread();
    for (const [weight, count] of [
      [2, 1],
      [10, 5],
      [50, 25],
    ] as const) {
      thread.weight = weight;
      expect(onCanary(createClients(50), thread).size).to.equal(count);
    }
  });

  it("gives one side to all requests that a client sends at once", () => {
    const [one, other] = [new Thread(1), new Thread(2)];
    one.weight = other.weight = 2;
    const clients = createClients(500);
    onCanary(clients, one);
    one.weight = other.weight = 40;
    for (const { cookie } of clients) {
      const sides = [one, other, one, other].map(
        (thread) => thread.pick(cookie).side,
      );
      expect(new Set(sides).size).to.equal(1);
    }
  });

  it("leaves the canary nobody at a weight of 0", () => {
    const thread = new Thread();
    const clients = createClients(100);
    onCanary(clients, thread);
    thread.weight = 0;
    expect(onCanary(clients, thread).size).to.equal(0);
    expect(onCanary(createClients(100), thread).size).to.equal(0);
  });

  it("names the side anew when the client has moved", () => {
    const thread = new Thread();
    thread.weight = 0;
    const client = new Client();
    client.asks(thread);
    expect(client.cookie).to.match(/^serin-side=prod\.41\.\d{4}$/);
    thread.weight = 100;
    client.asks(thread);
    expect(client.cookie).to.match(/^serin-side=canary\.41\.\d{4}$/);
  });

  it("deals clients of another rollout anew", () => {
    const thread = new Thread();
    const clients = createClients(400);
    const first = onCanary(clients, thread);
    thread.rollout = 42n;
    const second = onCanary(clients, thread);
    expect(second.size).to.equal(100);
    expect(second).not.to.deep.equal(first);
    expect(clients[0]!.cookie).to.match(/\.42\./);
  });

  for (const value of [
    ...["", "canary", "canary.41", "canary.41.1", "canary.41.00001"],
    ...["canary.41.-001", "canary.041.0001", "Canary.41.0001"],
    ...["canary.41.0001 x", "both.41.0001", "canary.41.1e01"],
    ...[`canary.${"9".repeat(5000)}.0001`, "canary.41.0001,canary.41.0002"],
  ])
    it(`deals a client with a cookie of ${JSON.stringify(value).slice(0, 40)}`, () => {
      const picked = new Thread().pick(`${SIDE_COOKIE}=${value}`);
      expect(picked.by).to.equal("dealt");
    });
});
