import {
  MAX_DECK_REQUESTS,
  MAX_DECKS,
  SLOT_MS,
  TOP_DECK_BUCKET,
  type DealtDeck,
} from "../../../lib/telemetry/decks.js";
import type { Ratio } from "../../../lib/telemetry/split-ratio.js";
import type { Side } from "../../../lib/telemetry/telemetry.js";
import type { Picked } from "./side-picker.js";
import { Split } from "./split.js";
import { ratioDealt, SPLIT_HOLDS, type Weight } from "./weight.js";

/** How long a deck waits for answers after its last pick. */
const PATIENCE_MS = 10_000;

type Answer = [route: string, bucket: number];

/**
 * The requests that were dealt in one go. Whether a deck counts is decided alike for both sides: it does not if any of its
 * requests failed, was rescued, was left by its client or has no latency, or if the canary was closed before its last pick.
 */
export class Deck {
  readonly #ratio: Ratio;
  /** Of the gate and the breaker: another one means that the canary was closed in between. */
  readonly #era: number;
  readonly #answers: Record<Side, Answer[]> = { prod: [], canary: [] };
  readonly #singleSide: Side;
  #singleAt: number | undefined;
  #undealt: number;
  #unanswered: number;
  #lastPickAt = 0;
  #wasClosed = false;

  constructor(ratio: Ratio, era: number) {
    this.#ratio = ratio;
    this.#era = era;
    this.#singleSide = ratio.canary > 1 && ratio.prod === 1 ? "prod" : "canary";
    this.#undealt = ratio.prod + ratio.canary;
    this.#unanswered = this.#undealt;
  }

  /** @param now monotonic ms, here and below */
  deal(side: Side, era: number, now: number): void {
    if (era !== this.#era) this.#wasClosed = true;
    if (side === this.#singleSide) this.#singleAt ??= now;
    this.#undealt -= 1;
    this.#lastPickAt = now;
  }

  /**
   * @param bucket undefined for an answer that does not count
   * @returns whether it completes the deck
   */
  answer(
    { side, route }: { side: Side; route: string },
    bucket: number | undefined,
    now: number,
  ): boolean {
    const counted = this.isLate(now) ? TOP_DECK_BUCKET : bucket;
    if (this.#wasClosed || counted === undefined) return false;
    this.#answers[side].push([route, counted]);
    this.#unanswered -= 1;
    return this.#unanswered === 0;
  }

  /** Whether requests that still wait are counted as the slowest. */
  isLate(now: number): boolean {
    return this.#undealt === 0 && now - this.#lastPickAt > PATIENCE_MS;
  }

  /** Of a complete deck. @param wallOffsetMs from monotonic ms to ms since the epoch */
  describe(wallOffsetMs: number): DealtDeck {
    const at = (this.#singleAt ?? this.#lastPickAt) + wallOffsetMs;
    const { prod, canary } = this.#answers;
    return {
      slot: Math.floor(at / SLOT_MS),
      np: this.#ratio.prod,
      nc: this.#ratio.canary,
      requests: [...canary, ...prod],
    };
  }
}

/** The picks that were admitted to the current window's decks, by all threads of a proxy. */
export class DeckAdmission {
  readonly #cells: Int32Array;
  readonly #most: { decks: number; requests: number };

  /** @param cells one, 0 @param most of a window */
  constructor(
    cells: Int32Array,
    most = { decks: MAX_DECKS, requests: MAX_DECK_REQUESTS },
  ) {
    this.#cells = cells;
    this.#most = most;
  }

  /** Whether the deck that begins is recorded: the first ones of each window are, so it never depends on an answer. */
  admits({ prod, canary }: Ratio): boolean {
    if (prod * canary === 0) return false;
    const picks = prod + canary;
    const { decks, requests } = this.#most;
    const most = Math.min(decks * picks, requests);
    return Atomics.add(this.#cells, 0, picks) + picks <= most;
  }

  /** A new window begins. */
  renew(): void {
    Atomics.store(this.#cells, 0, 0);
  }
}

interface DealerOptions {
  /** The ratio while no rollout gives a weight. */
  split: Ratio;
  readWeight: () => Weight;
  admission: DeckAdmission;
  /** See Split. */
  random?: () => number;
}

/** Deals sides deck by deck. A change of the weight begins a new block at once: the deck that it interrupts is dropped. */
export class Dealer {
  readonly #options: DealerOptions;
  #weight = SPLIT_HOLDS;
  #split: Split;
  #deck: Deck | undefined;

  constructor(options: DealerOptions) {
    this.#options = options;
    this.#split = new Split(options.split, options.random);
  }

  /** @param era see Deck */
  deal(era: number, now: number): Picked & { weight: Weight } {
    const { admission } = this.#options;
    const weight = this.followWeight();
    const { isAtStart, deck } = this.#split;
    if (isAtStart)
      this.#deck = admission.admits(deck) ? new Deck(deck, era) : undefined;
    const side = this.#split.pick();
    this.#deck?.deal(side, era, now);
    return { side, by: "dealt", deck: this.#deck, weight };
  }

  /** Whether both sides get a part of the requests. */
  get hasBothSides(): boolean {
    this.followWeight();
    const { prod, canary } = this.#split.ratio;
    return prod * canary > 0;
  }

  /** @returns the weight of the next deal */
  followWeight(): Weight {
    const { readWeight, split, random } = this.#options;
    const weight = readWeight();
    if (weight !== this.#weight) {
      this.#weight = weight;
      this.#split = new Split(ratioDealt(weight, split), random);
    }
    return weight;
  }
}
