import type { StateReport } from "../../../lib/telemetry/monitor-state.js";

/** `event: state` of `GET /api/stream`, each second and whenever something happens. */
export interface StateMessage {
  /** Redis's clock, ms since the epoch: the browser's own may be wrong. */
  now: number;
  /** The sender. */
  monitor: { id: string; leads: boolean };
  /** Whether changes need the admin token. */
  tokenRequired: boolean;
  state: StateReport;
}

/** `event: outage`, instead of the state. */
export interface OutageMessage {
  reason: string;
}
