import type { LedgerEvent } from "../../../../lib/flag/ledger.js";

export type ChannelName = "mail" | "webhook";

/** One way to reach people. */
export interface Channel {
  readonly name: ChannelName;
  /**
   * Resolves when the event is in others' hands. Gives up within half a minute.
   *
   * @throws RefusedError when the other side has said that it will not take this; Error in all other cases. No message
   * holds a secret.
   */
  send: (event: LedgerEvent) => Promise<void>;
  /** Ends sends in flight. May be called twice. */
  close: () => void;
}

/** The other side understood, and will not take it: most likely not later either. */
export class RefusedError extends Error {}
