/** A stream entry's `[name, value, name, value …]` as an object. */
export function toRecord(fields: readonly string[]): Record<string, string> {
  const record: Record<string, string> = {};
  for (let i = 0; i + 1 < fields.length; i += 2)
    record[fields[i] ?? ""] = fields[i + 1] ?? "";
  return record;
}

/** Undefined when the text is absent or not JSON. */
export function parseJson(text: string | null | undefined): unknown {
  try {
    return text === null || text === undefined
      ? undefined
      : (JSON.parse(text) as unknown);
  } catch {
    return undefined;
  }
}

/** The time at which Redis took a stream entry, in ms since the epoch: one clock for all writers. */
export function entryTimeMs(id: string): number {
  return Number(id.split("-", 1)[0]);
}
