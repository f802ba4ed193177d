import type { Ratio } from "../../../lib/telemetry/split-ratio.js";
import { SIDES, type Side } from "../../../lib/telemetry/telemetry.js";
import { cookieValue } from "../http/cookies.js";
import type { Dealer } from "./deck.js";
import type { Picked } from "./side-picker.js";
import { ratioDealt, type Weight } from "./weight.js";

export const SIDE_COOKIE = "serin-side";
const VALUE = new RegExp(`^(${SIDES.join("|")})\\.(\\d{1,15})\\.(\\d{4})$`);
const PLACES = 10_000;
const GOLDEN_RATIO = (Math.sqrt(5) - 1) / 2;

interface StickyOptions {
  dealer: Pick<Dealer, "followWeight">;
  split: Ratio;
  /** Of the rollout. Cookies of another one are ignored. */
  readRollout: () => bigint;
}

/**
 * Keeps each client on its side, by a cookie that names the side, the rollout and the client's place from 0 to 9999:
 * `serin-side=canary.41.0731`. The canary serves the places below its weight. Hence while the weight grows, nobody leaves the
 * canary, and no more clients join it than needed, whichever proxy or thread they meet, and even if they send several requests at
 * once.
 *
 * Clients are dealt in blocks, as requests otherwise are. Where a client lies within its side's places follows the golden ratio, so that
 * any part of them has close to its share of the clients (Knuth, TAOCP vol. 3, 6.4, theorem S).
 */
export class StickyClients {
  readonly #options: StickyOptions;
  readonly #within: Record<Side, number>;
  #weight: Weight | undefined;
  /** Of the canary. */
  #places = 0;

  /** @param random uniform in [0, 1) */
  constructor(options: StickyOptions, random: () => number = Math.random) {
    this.#options = options;
    this.#within = { prod: random(), canary: random() };
  }

  /** The side of a client that was dealt before; undefined for any other. @param cookies the request's header */
  keep(cookies: string | undefined): Picked | undefined {
    const value = cookieValue(cookies, SIDE_COOKIE);
    if (value === undefined) return undefined;
    const [, known, rollout, place] = VALUE.exec(value) ?? [];
    if (place === undefined || rollout !== this.#rollout) return undefined;
    const weight = this.#options.dealer.followWeight();
    const at = Number(place);
    const side = at < this.#placesOf(weight) ? "canary" : "prod";
    const setCookie = side === known ? undefined : this.#format(side, at);
    return { side, by: "kept", weight, setCookie };
  }

  /** Gives the client of a request that was dealt its cookie. */
  admit(dealt: Picked & { weight: Weight }): Picked {
    const at = this.#takePlace(dealt.side, dealt.weight);
    return { ...dealt, setCookie: this.#format(dealt.side, at) };
  }

  get #rollout(): string {
    return String(this.#options.readRollout());
  }

  /** A session cookie, which no script can read. */
  #format(side: Side, place: number): string {
    const value = `${side}.${this.#rollout}.${String(place).padStart(4, "0")}`;
    return `${SIDE_COOKIE}=${value}; Path=/; HttpOnly; SameSite=Lax`;
  }

  #takePlace(side: Side, weight: Weight): number {
    this.#within[side] = (this.#within[side] + GOLDEN_RATIO) % 1;
    const canary = this.#placesOf(weight);
    return side === "canary"
      ? Math.floor(this.#within.canary * canary)
      : canary + Math.floor(this.#within.prod * (PLACES - canary));
  }

  #placesOf(weight: Weight): number {
    if (weight !== this.#weight) {
      const { prod, canary } = ratioDealt(weight, this.#options.split);
      this.#weight = weight;
      this.#places = Math.round((canary / (prod + canary)) * PLACES);
    }
    return this.#places;
  }
}
