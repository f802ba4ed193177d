/** A flag's value and where it comes from. The reasons are OpenFeature's. */
export interface FlagDetails {
  value: boolean;
  /** `DISABLED`: the release is stopped. `STALE`: Redis has not confirmed the value for 5 s. */
  reason: "STATIC" | "DISABLED" | "STALE";
  /** Who flipped the flag last, and when (ISO 8601, UTC); null if nobody did. */
  by: string | null;
  at: string | null;
  /** Ms since Redis last confirmed the value. */
  ageMs: number;
}
