/** Absent means true; anything but `true` and `false` counts as false. */
export function parseFlag(raw: string | null): {
  value: boolean;
  garbled: boolean;
} {
  return {
    value: raw === null || raw === "true",
    garbled: raw !== null && raw !== "true" && raw !== "false",
  };
}
