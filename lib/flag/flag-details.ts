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

/** As OpenFeature and OFREP name the parts. */
export interface Resolution {
  value: boolean;
  variant: "on" | "off";
  reason: FlagDetails["reason"];
  /** `by` and `at`, if anybody has flipped the flag. */
  metadata: Record<string, string>;
}

export function toResolution(details: FlagDetails): Resolution {
  const { value, reason, by, at } = details;
  return {
    value,
    variant: value ? "on" : "off",
    reason,
    metadata: {
      ...(by === null ? {} : { by }),
      ...(at === null ? {} : { at }),
    },
  };
}
