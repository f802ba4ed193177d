import type { Ledger } from "../../../lib/flag/ledger.js";
import type { Logger } from "../../../lib/program/log.js";
import type { Trip } from "./breaker.js";

const RETRY_MS = 1000;

/**
 * Puts the flag to false for a breaker that has tripped, so that every proxy follows and the team gets a mail. While
 * Redis is away it keeps trying: the breaker itself holds this proxy's canary back meanwhile.
 */
export class CanaryStop {
  readonly #ledger: Pick<Ledger, "flip">;
  readonly #flagName: string;
  readonly #readSource: () => string;
  readonly #logger: Logger;
  #pending: Trip | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: {
    ledger: Pick<Ledger, "flip">;
    flagName: string;
    /** Who flips; asked when it is to be flipped. */
    readSource: () => string;
    logger: Logger;
  }) {
    this.#ledger = options.ledger;
    this.#flagName = options.flagName;
    this.#readSource = options.readSource;
    this.#logger = options.logger;
  }

  /** Of several proxies that see the same, one flips. */
  begin(trip: Trip): void {
    this.#pending = trip;
    this.#logger.warn({ trip }, "canary taken out");
    void this.#flip(trip);
  }

  /** The canary was let in again: a flip that has not been made is not made any more. */
  cancel(): void {
    this.#pending = undefined;
    clearTimeout(this.#timer);
  }

  async #flip(trip: Trip): Promise<void> {
    const { reason, ...figures } = trip;
    const source = this.#readSource();
    try {
      const outcome = await this.#ledger.flip(this.#flagName, {
        value: false,
        by: "proxy",
        reason: `${reason} (${source})`,
        data: { rule: "breaker", source, ...figures },
      });
      this.#logger.info({ outcome }, "flag put to false");
    } catch (err) {
      this.#logger.warn({ err }, "flag could not be put to false yet");
      if (this.#pending !== trip) return;
      this.#timer = setTimeout(() => void this.#flip(trip), RETRY_MS);
    }
  }
}
