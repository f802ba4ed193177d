import type { LedgerEvent, NewEvent } from "../../../lib/flag/ledger.js";
import type { Notice } from "../../../lib/telemetry/telemetry.js";
import type { StreamListener } from "./stream-reader.js";

interface FencedLedger {
  record: (entry: NewEvent, by: { fence: string }) => Promise<unknown>;
}

/**
 * Enters notices into the ledger while this monitor leads, each once: an entry names its notice, and a monitor that takes
 * over has read the entries of the one before it. A notice that could not be entered is tried again after the next read.
 */
export class NoticeBook implements StreamListener {
  readonly #waiting = new Map<string, NewEvent>();
  readonly #ledger: FencedLedger;
  readonly #fence: () => string | undefined;
  #isEntering = false;

  /** @param fence undefined while another monitor leads */
  constructor(ledger: FencedLedger, fence: () => string | undefined) {
    this.#ledger = ledger;
    this.#fence = fence;
  }

  onNotice({ data: { kind, reason, data } }: Notice, _at: number, id: string) {
    // Whatever a notice claims, only agents send them.
    const event = { kind, by: "agent", reason, data: { ...data, notice: id } };
    this.#waiting.set(id, event);
  }

  onEvent({ data }: LedgerEvent): void {
    if (typeof data.notice === "string") this.#waiting.delete(data.notice);
  }

  onCaughtUp(heardUntil: number, listeningSince: number): void {
    const fence = this.#fence();
    const isCurrent = heardUntil >= listeningSince;
    if (fence !== undefined && isCurrent && !this.#isEntering)
      void this.#enter(fence);
  }

  async #enter(fence: string): Promise<void> {
    this.#isEntering = true;
    try {
      for (const [id, event] of this.#waiting) {
        await this.#ledger.record(event, { fence });
        this.#waiting.delete(id);
      }
    } catch {
      // The next read tries again.
    } finally {
      this.#isEntering = false;
    }
  }
}
