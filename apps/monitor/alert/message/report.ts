import type { LedgerEvent } from "../../../../lib/flag/ledger.js";
import type { Harm } from "../../../../lib/telemetry/harm.js";

/** What one message reports. */
export interface Report {
  event: LedgerEvent;
  /** Further alerts of the same kind, which probably have the same cause. */
  others: readonly LedgerEvent[];
  background: Background;
}

/** What is known beside the event's own data. */
export interface Background {
  /** What the canary and prod run; undefined if unknown. */
  version?: string | undefined;
  prodVersion?: string | undefined;
  /** Such as `9 requests/s without the feature`, which prod turns away now, or did until a moment ago. */
  withoutFeature?: string | undefined;
  /** What users met at the canary before this stop; undefined if unknown. */
  harm?: Harm | undefined;
  /** How the canary's version came to be. */
  change?: Change | undefined;
  /** The id of the incident's first event; undefined if it is this one. */
  incident?: string | undefined;
}

export interface Change {
  commit?: string | undefined;
  /** The commit that ran before. */
  before?: string | undefined;
  author?: string | undefined;
  /** The commit's. */
  subject?: string | undefined;
  /** ISO 8601. */
  deployedAt?: string | undefined;
}
