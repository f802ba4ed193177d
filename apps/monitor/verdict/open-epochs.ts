import { SLOT_MS } from "../../../lib/telemetry/decks.js";
import type { DeckBets } from "./evidence/deck-bets.js";
import { Epoch, EPOCH_SLOTS, type GuardSums } from "./evidence/stall-guard.js";

const EPOCH_MS = EPOCH_SLOTS * SLOT_MS;
/** The current epoch, and the one before it, whose decks still come. */
export const OPEN_EPOCHS = 2;

export interface EpochSums {
  number: number;
  sums: GuardSums;
}

export function epochAt(slot: number): number {
  return Math.floor(slot / EPOCH_SLOTS);
}

/** The epochs whose decks count by slot; those before are closed. */
export class OpenEpochs {
  readonly #windowSlots: number;
  /** The last epoch that is closed though its decks may still come: after a restoration. */
  readonly #sealed: number;
  #open: Epoch[] = [];

  constructor(stallMs: number, sealed: number) {
    // Two stalls of half of it.
    this.#windowSlots = stallMs / 2 / SLOT_MS;
    this.#sealed = sealed;
  }

  /** The last closed one. */
  get closed(): number {
    return (this.#open[0]?.number ?? 0) - 1;
  }

  isTurnedBy(atMs: number): boolean {
    return Math.floor(atMs / EPOCH_MS) > (this.#open.at(-1)?.number ?? -1);
  }

  /** Begins an epoch. @returns its number, and what is over */
  turn(atMs: number): { number: number; over: EpochSums[] } {
    const number = Math.floor(atMs / EPOCH_MS);
    this.#open.push(new Epoch(number));
    const over = this.#open.splice(0, this.#open.length - OPEN_EPOCHS);
    return { number, over: this.#sum(over) };
  }

  sum(): EpochSums[] {
    return this.#sum(this.#open);
  }

  add(
    slot: number,
    bets: DeckBets,
    canary: { requests: number; slow: number },
  ): void {
    const number = epochAt(slot);
    // It was counted before the restoration.
    if (number <= this.#sealed && this.#open.length < OPEN_EPOCHS) return;
    // A deck of little traffic may have been dealt long ago, and a clock may be ahead.
    const epoch =
      this.#open.find((open) => open.number >= number) ?? this.#open.at(-1);
    if (epoch === undefined) return;
    const within = slot - epoch.number * EPOCH_SLOTS;
    epoch.add(Math.min(Math.max(within, 0), EPOCH_SLOTS - 1), bets, canary);
  }

  #sum(epochs: readonly Epoch[]): EpochSums[] {
    return epochs.map((epoch) => ({
      number: epoch.number,
      sums: epoch.sum(this.#windowSlots),
    }));
  }
}
