import { turnAt } from "../../../lib/telemetry/host-decks.js";
import type { Side } from "../../../lib/telemetry/telemetry.js";
import { Deck, type DeckAdmission } from "./deck.js";

interface Host {
  readonly name: string;
}

/** A request's place in the deck of prod's hosts. */
export interface Seat {
  readonly deck: Deck;
  /** The host that stands for the canary in it. */
  readonly compared: string;
  readonly side: Side;
}

/**
 * Decks in which one of prod's hosts stands for the canary: the verdict must find no difference. A deck is a round over all
 * hosts, in which chance decides which host gets which request. A round that is cut short or leaves its order is dropped.
 */
export class HostDealer {
  readonly #hosts: readonly Host[];
  readonly #admission: DeckAdmission;
  #round: object | undefined;
  #deck: Deck | undefined;
  #compared: Host | undefined;

  /** @param hosts two at least, or there is no deck */
  constructor(hosts: readonly Host[], admission: DeckAdmission) {
    this.#hosts = hosts;
    this.#admission = admission;
  }

  /** @param round of this host @param now monotonic ms */
  deal(
    host: Host,
    round: { readonly isAsDrawn: boolean },
    now: number,
  ): Seat | undefined {
    if (this.#hosts.length < 2) return undefined;
    if (round !== this.#round) {
      this.#round = round;
      this.#begin();
    }
    if (!round.isAsDrawn) this.#deck = undefined;
    const deck = this.#deck;
    if (deck === undefined || this.#compared === undefined) return undefined;
    const side = host === this.#compared ? "canary" : "prod";
    deck.deal(side, 0, now);
    return { deck, side, compared: this.#compared.name };
  }

  #begin(): void {
    const ratio = { prod: this.#hosts.length - 1, canary: 1 };
    this.#deck = this.#admission.admits(ratio) ? new Deck(ratio, 0) : undefined;
    if (this.#deck === undefined) return;
    // By the clock, so that all threads and proxies compare the same host.
    this.#compared = this.#hosts[turnAt(Date.now()) % this.#hosts.length];
  }
}
