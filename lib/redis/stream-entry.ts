/** A stream entry's `[name, value, name, value …]` as an object. */
export function toRecord(fields: readonly string[]): Record<string, string> {
  const record: Record<string, string> = {};
  for (let i = 0; i + 1 < fields.length; i += 2)
    record[fields[i] ?? ""] = fields[i + 1] ?? "";
  return record;
}

/** Undefined if the text is absent or not JSON. */
export function parseJson(text: string | null | undefined): unknown {
  try {
    return text === null || text === undefined
      ? undefined
      : (JSON.parse(text) as unknown);
  } catch {
    return undefined;
  }
}

/** Negative if `a` is older than `b`. Ids are `ms-sequence`. */
export function compareIds(a: string, b: string): number {
  const [aMs = 0, aSequence = 0] = a.split("-").map(Number);
  const [bMs = 0, bSequence = 0] = b.split("-").map(Number);
  return aMs - bMs || aSequence - bSequence;
}

/** When Redis added a stream entry, in ms since the epoch by its clock, which is the same for all writers. */
export function entryTimeMs(id: string): number {
  return Number(id.split("-", 1)[0]);
}
