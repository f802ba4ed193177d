import { MAX_DECKS, type DealtDeck } from "../../../lib/telemetry/decks.js";
import {
  MOST_HOST_DECKS,
  type HostDeck,
} from "../../../lib/telemetry/host-decks.js";
import { SIDES, type Side } from "../../../lib/telemetry/telemetry.js";
import { SPLIT_HOLDS, type Weight } from "../dealing/weight.js";
import { RouteTotals } from "./route-totals.js";
import { UpstreamCounts } from "./upstream-counts.js";
import {
  createCounts,
  WaitingAges,
  WindowCounts,
  type SideCounts,
  type SideWindows,
  type ThreadWindows,
  type TrafficWindows,
} from "./window-counts.js";

/** Sums the counts of all threads' recorders. Any object can identify a recorder. */
export class TrafficSum {
  readonly #window: WindowCounts;
  readonly #totals = createCounts();
  /** Since the start. */
  readonly routes = new RouteTotals();
  readonly upstreams = new UpstreamCounts();
  /** Of the current window. */
  readonly #instances = new UpstreamCounts();
  /** Each recorder's last windows, which hold the requests that wait for a response. */
  readonly #last = new Map<object, SideWindows>();
  readonly #onWindow: () => void;
  #decks: DealtDeck[] = [];
  #hostDecks: HostDeck[] = [];
  #weight = SPLIT_HOLDS;
  /** Counts that were dealt by another weight than the current window's. */
  readonly #others = new Map<Weight, WindowCounts>();

  /** @param now monotonic ms, here and below @param onWindow called when a window ends */
  constructor(now: number, onWindow: () => void = () => undefined) {
    this.#window = new WindowCounts(now);
    this.#onWindow = onWindow;
  }

  /** Everything added since the start, including the current window. */
  get totals(): Readonly<Record<Side, Readonly<SideCounts>>> {
    return this.#totals;
  }

  /** @param windows the recorder's counts since the last call */
  add(recorder: object, windows: ThreadWindows): void {
    const { weight = this.#weight } = windows;
    (weight === this.#weight ? this.#window : this.#otherOf(weight)).add(
      windows,
    );
    this.routes.add(windows);
    this.upstreams.add(windows.upstreams);
    this.#instances.add(windows.upstreams);
    for (const side of SIDES) this.#totals[side].add(windows[side]);
    this.#last.set(recorder, windows);
    for (const deck of windows.decks) this.#decks.push(this.#rename(deck));
    for (const deck of windows.hostDecks)
      this.#hostDecks.push(this.#rename(deck));
  }

  /** The recorder's thread has ended: none of its requests waits any more. */
  forget(recorder: object): void {
    this.#last.delete(recorder);
  }

  /** The number of requests that wait for a response, as of each recorder's last windows. */
  countWaiting(side: Side): number {
    return [...this.#last.values()]
      .flatMap((windows) => windows[side].waiting ?? [])
      .reduce((sum, [, count]) => sum + count, 0);
  }

  /**
   * Ends the window and returns its sums: the current weight's, and before it those of the weights that have ended.
   *
   * @param weight the current one
   */
  takeWindows(now: number, weight: Weight): TrafficWindows[] {
    const ended = this.#takeEnded(now, weight);
    const waiting = { prod: new WaitingAges(), canary: new WaitingAges() };
    for (const windows of this.#last.values())
      for (const side of SIDES) waiting[side].merge(windows[side]);
    this.#onWindow();
    // The first dealt go first, whatever their answers. The others wait for the next windows.
    this.#decks.sort((one, other) => one.slot - other.slot);
    const decks = this.#decks.splice(0, MAX_DECKS);
    const { prod, canary } = this.#window.take(now, waiting);
    // Those of the weights that have ended among them.
    const instances = this.#instances.takeBySide();
    const window = {
      prod: { ...prod, instances: instances.prod },
      canary: { ...canary, instances: instances.canary },
      ...{ weight, decks, hostDecks: this.#takeHostDecks() },
    };
    return [...ended, window];
  }

  /** Those of the last host, the first dealt. */
  #takeHostDecks(): HostDeck[] {
    const decks = this.#hostDecks.sort((one, other) => one.slot - other.slot);
    this.#hostDecks = [];
    const compared = decks.at(-1)?.compared;
    return decks
      .filter((deck) => deck.compared === compared)
      .slice(0, MOST_HOST_DECKS.decks);
  }

  #takeEnded(now: number, weight: Weight): TrafficWindows[] {
    const none = { prod: new WaitingAges(), canary: new WaitingAges() };
    if (weight !== this.#weight) {
      this.#otherOf(this.#weight).add(this.#window.take(now, none));
      const begun = this.#others.get(weight);
      if (begun !== undefined) this.#window.add(begun.take(now, none));
      this.#others.delete(weight);
      this.#weight = weight;
    }
    const ended = [...this.#others].map(([weight, counts]) => {
      return { ...counts.take(now, none), weight, decks: [], hostDecks: [] };
    });
    this.#others.clear();
    return ended;
  }

  #otherOf(weight: Weight): WindowCounts {
    const known =
      this.#others.get(weight) ?? new WindowCounts(this.#window.startedAt);
    this.#others.set(weight, known);
    return known;
  }

  #rename<Deck extends DealtDeck>(deck: Deck): Deck {
    const { routes } = this.#window;
    return {
      ...deck,
      requests: deck.requests.map(([name, bucket]) => [
        routes.renamed(name),
        bucket,
      ]),
    };
  }
}
