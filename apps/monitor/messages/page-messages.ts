import type { LedgerEvent } from "../../../lib/flag/ledger-event.js";
import type { StateReport } from "../../../lib/telemetry/monitor-state.js";
import type { HistoryPoint } from "./history-report.js";

export interface StateMessage {
  /** Redis's clock, ms since the epoch: the browser's own may be wrong. */
  now: number;
  /** The sender. */
  monitor: { id: string; leads: boolean };
  /** What is watched, such as `shop prod`. */
  system: string;
  /** Whether changes need the admin token. */
  tokenRequired: boolean;
  state: StateReport;
}

/** The events of `GET /api/stream`. */
export interface PageEvents {
  /** Each second, and whenever something happens. */
  state: StateMessage;
  /** Instead of the state. */
  outage: { reason: string };
  points: HistoryPoint[];
  ledger: LedgerEvent;
  /** The history must be fetched again. */
  history: object;
}
