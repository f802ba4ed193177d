import { EVENT_KINDS, type LedgerEvent } from "../../../lib/flag/ledger.js";

const AUTHORS = ["monitor", "operator", "proxy", "deploy"] as const;

/** Counts all events of the ledger since this monitor's start. */
export class EventTally {
  readonly kinds = new Map<string, number>(
    EVENT_KINDS.map((kind) => [kind, 0]),
  );
  /** Flips by author; unknown authors count as `other`. */
  readonly flips = new Map<string, number>(
    [...AUTHORS, "other"].map((author) => [author, 0]),
  );

  onEvent(
    { kind, by }: Pick<LedgerEvent, "kind" | "by">,
    _atMs: number,
    isNew: boolean,
  ): void {
    if (!isNew) return;
    increment(this.kinds, kind);
    if (kind === "flip")
      increment(this.flips, this.flips.has(by) ? by : "other");
  }
}

function increment(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
