import type { LedgerEvent } from "../../../../lib/flag/ledger.js";

export type ChannelName = "mail" | "webhook";

/** A way to deliver alerts. */
export interface Channel {
  readonly name: ChannelName;
  /**
   * Resolves when the receiver has accepted the event. Gives up within 30 seconds.
   *
   * @throws RefusedError when the receiver rejects this event; Error in all other cases. Messages hold no secrets.
   */
  send: (event: LedgerEvent) => Promise<void>;
  /** Ends sends in flight. May be called twice. */
  close: () => void;
}

/** The receiver rejected the event, and would most likely reject it again. */
export class RefusedError extends Error {}
