import type { Ledger } from "../../../lib/flag/ledger.js";
import type { Logger } from "../../../lib/program/log.js";
import type { Trip } from "./breaker.js";

const RETRY_MS = 1000;

interface StopOptions {
  ledger: Pick<Ledger, "flip">;
  flagName: string;
  /** Names this proxy as the one that flips; read at the flip. */
  readSource: () => string;
  logger: Logger;
}

/**
 * Sets the flag to false when a breaker trips, so that every proxy follows and the team gets a mail. If Redis is away, it
 * retries; meanwhile the breaker keeps this proxy's canary closed.
 */
export class CanaryStop {
  readonly #options: StopOptions;
  #pending: Trip | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: StopOptions) {
    this.#options = options;
  }

  /** If several proxies trip at once, the ledger accepts one flip. */
  begin(trip: Trip): void {
    this.#pending = trip;
    this.#options.logger.warn({ trip }, "the breaker closed the canary");
    void this.#flip(trip);
  }

  /** The canary was opened again: drops a flip that is still pending. */
  cancel(): void {
    this.#pending = undefined;
    clearTimeout(this.#timer);
  }

  async #flip(trip: Trip): Promise<void> {
    const { ledger, flagName, readSource, logger } = this.#options;
    const { reason, ...figures } = trip;
    const source = readSource();
    try {
      const outcome = await ledger.flip(flagName, {
        value: false,
        by: "proxy",
        reason: `${reason} (${source})`,
        data: { rule: "breaker", source, ...figures },
      });
      logger.info({ outcome }, "flag set to false");
    } catch (err) {
      logger.warn({ err }, "flag could not be set to false yet");
      if (this.#pending !== trip) return;
      this.#timer = setTimeout(() => void this.#flip(trip), RETRY_MS);
    }
  }
}
