import { Bag, type BagItem } from "../../../lib/bag.js";
import { deckBucketOf, FINER } from "../../../lib/telemetry/decks.js";
import type { Side } from "../../../lib/telemetry/telemetry.js";
import type { Deck } from "../dealing/deck.js";
import type { Seat } from "../dealing/host-deck.js";
import type { Picked } from "../dealing/side-picker.js";
import type { Weight } from "../dealing/weight.js";
import {
  CLIENT_CLOSED,
  type Outcome,
  type RoutedRequest,
} from "./route-book.js";
import { UpstreamCounts } from "./upstream-counts.js";
import {
  WaitingAges,
  WindowCounts,
  type ThreadWindows,
} from "./window-counts.js";

export { CLIENT_CLOSED };

/** A request in progress. It counts for the side that the split chose, whichever side answers it. */
export interface PendingRequest extends BagItem, RoutedRequest {
  /** Monotonic ms. */
  readonly startedAt: number;
  readonly body: RequestBody | undefined;
  readonly by: Picked["by"];
  deck: Deck | undefined;
  /** In the deck of prod's hosts; undefined once it is tried again. */
  seat: Seat | undefined;
}

interface RequestBody {
  /** Monotonic ms; undefined while the client sends it. */
  readonly arrivedAt: number | undefined;
}

/** How long the client has waited in ms, from the end of its request; undefined while it sends the request's body. */
export function waitedFor(
  { startedAt, body }: PendingRequest,
  now: number,
): number | undefined {
  if (body === undefined) return now - startedAt;
  const { arrivedAt } = body;
  return arrivedAt && now - Math.max(startedAt, arrivedAt);
}

const HALF_SECOND_MS = 500;
/** Counts each side's requests in consecutive windows, each of which is dealt by one weight. */
export class TrafficRecorder {
  /** Attempts, by instance. */
  readonly upstreams = new UpstreamCounts();
  readonly #counts: WindowCounts;
  readonly #pending: Record<Side, Bag<PendingRequest>> = {
    prod: new Bag(),
    canary: new Bag(),
  };
  /** Those that asked for the canary. */
  readonly #asked = new Bag<PendingRequest>();
  readonly #onWeightEnd: (ended: ThreadWindows) => void;
  /** Of the requests dealt in this window; undefined without any. */
  #weight: Weight | undefined;
  #decks: Deck[] = [];
  /** The last seat of each that is complete. */
  #hostDecks: Seat[] = [];

  /**
   * @param now monotonic ms, here and below
   * @param onWeightEnd called with the window that ends because the first request was dealt by another weight
   */
  constructor(
    now: number,
    onWeightEnd: (ended: ThreadWindows) => void = () => undefined,
  ) {
    this.#counts = new WindowCounts(now);
    this.#onWeightEnd = onWeightEnd;
  }

  /** @param asked names the request's route @param body the request's, if it has one */
  begin(
    { side, by, deck, weight }: Picked,
    now: number,
    asked: { method?: string | undefined; url?: string | undefined } = {},
    body?: RequestBody,
  ): PendingRequest {
    if (weight !== undefined) this.#turnTo(weight, now);
    const { method, url } = asked;
    const pending: PendingRequest = {
      side,
      startedAt: now,
      body,
      by,
      deck,
      seat: undefined,
      isDealt: by !== "closed",
      method,
      url,
      slot: -1,
    };
    const counts = this.#counts.of(side);
    if (by === "asked") counts.optedIn += 1;
    else counts.chosen += 1;
    if (by === "dealt") counts.dealt += 1;
    this.#bagOf(pending).add(pending);
    return pending;
  }

  /**
   * The response's head was sent, or the client left (499). A client that left has waited at least as long as it did, which is
   * its latency. A request whose body had not arrived has none, nor has one that was tried on both sides. A request that asked for the
   * canary counts nowhere.
   *
   * @returns false, and counts nothing, after a request's first call
   */
  finish(pending: PendingRequest, outcome: Outcome, now: number): boolean {
    if (!this.#bagOf(pending).delete(pending)) return false;
    if (pending.by === "asked") return true;
    const counts = this.#counts.of(pending.side);
    const waitedMs =
      outcome.isFallback === true ? undefined : waitedFor(pending, now);
    const fine = waitedMs === undefined ? undefined : deckBucketOf(waitedMs);
    const bucket = fine === undefined ? undefined : Math.ceil(fine / FINER);
    const { status } = outcome;
    counts.requests += 1;
    counts.addStatus(status, 1);
    if (bucket !== undefined) counts.latency.add(bucket, 1);
    if (waitedMs !== undefined && waitedMs > HALF_SECOND_MS)
      counts.above500Ms += 1;
    if (outcome.withoutFeature === true) counts.withoutFeature += 1;
    // No answer of its own side: its deck never completes.
    else if (outcome.isFallback === true && status < 400)
      counts.foundElsewhere += 1;
    else this.#countAnswer(pending, outcome, { now, fine, bucket });
    if (outcome.rescued) {
      counts.retried += 1;
      this.#counts.of("prod").rescued += 1;
    }
    return true;
  }

  #countAnswer(
    pending: PendingRequest,
    outcome: Outcome,
    took: { now: number; fine: number | undefined; bucket: number | undefined },
  ): void {
    const { routes } = this.#counts;
    const { status, rescued } = outcome;
    if (status >= 500) this.#counts.of(pending.side).errors += 1;
    const route = routes.count(pending, outcome, took.bucket);
    const isSound = status < CLIENT_CLOSED && !rescued;
    const bucket = isSound ? took.fine : undefined;
    this.#answer(pending, route, bucket, took.now);
    this.#answerSeat(pending, route, bucket, took.now);
  }

  /** The name of the route that it counts under. */
  routeOf(pending: PendingRequest): string {
    return this.#counts.routes.nameOf(pending);
  }

  /** Ends the window and returns its counts. */
  takeWindow(now: number): ThreadWindows {
    const waiting = {
      prod: this.#readAges("prod", now),
      canary: this.#readAges("canary", now),
    };
    const wallOffsetMs = Date.now() - now;
    const decks = this.#decks.map((deck) => deck.describe(wallOffsetMs));
    this.#decks = [];
    const hostDecks = this.#hostDecks.map(({ deck, compared }) => {
      return { compared, ...deck.describe(wallOffsetMs) };
    });
    this.#hostDecks = [];
    const upstreams = this.upstreams.take();
    const weight = this.#weight;
    this.#weight = undefined;
    const counts = this.#counts.take(now, waiting);
    return { ...counts, weight, decks, hostDecks, upstreams };
  }

  #turnTo(weight: Weight, now: number): void {
    if (this.#weight !== undefined && this.#weight !== weight)
      this.#onWeightEnd(this.takeWindow(now));
    this.#weight = weight;
  }

  #bagOf({ side, by }: PendingRequest): Bag<PendingRequest> {
    return by === "asked" ? this.#asked : this.#pending[side];
  }

  #readAges(side: Side, now: number): WaitingAges {
    const ages = new WaitingAges();
    for (const pending of this.#pending[side]) {
      const route = this.#counts.routes.nameOf(pending);
      if (pending.deck?.isLate(now) === true)
        this.#answer(pending, route, undefined, now);
      if (pending.seat?.deck.isLate(now) === true)
        this.#answerSeat(pending, route, undefined, now);
      const age = waitedFor(pending, now);
      if (age !== undefined) ages.record(route, age);
    }
    return ages;
  }

  /** @param bucket undefined for an answer that does not count */
  #answer(
    pending: PendingRequest,
    route: string,
    bucket: number | undefined,
    now: number,
  ): void {
    const { side, deck } = pending;
    pending.deck = undefined;
    if (deck?.answer({ side, route }, bucket, now) === true)
      this.#decks.push(deck);
  }

  #answerSeat(
    pending: PendingRequest,
    route: string,
    bucket: number | undefined,
    now: number,
  ): void {
    const { seat } = pending;
    if (seat === undefined) return;
    pending.seat = undefined;
    if (seat.deck.answer({ side: seat.side, route }, bucket, now))
      this.#hostDecks.push(seat);
  }
}
