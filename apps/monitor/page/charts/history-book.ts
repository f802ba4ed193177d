import type {
  HistoryMark,
  HistoryPoint,
  HistoryReport,
} from "../../messages/history-report.js";

/** The data of the charts: steps of equal length, without points for missing data. */
export interface Timeline {
  /** The start of each step, in seconds since the epoch. */
  times: number[];
  points: (HistoryPoint | undefined)[];
}

/**
 * The current value of a line: that of the last step, or of the one before, because the last may still be empty. Older values
 * are not current.
 */
export function newestValue(line: readonly (number | null)[]): number | null {
  return line.at(-1) ?? line.at(-2) ?? null;
}

/** The fetched history and all points and marks since. */
export class HistoryBook {
  readonly #points = new Map<number, HistoryPoint>();
  readonly #marks = new Map<string, HistoryMark>();
  #report: HistoryReport | undefined;

  get report(): HistoryReport | undefined {
    return this.#report;
  }

  /** Keeps marks that the report lacks: each mark is sent only once, possibly while the report was being fetched. */
  replace(report: HistoryReport): void {
    this.#report = report;
    this.#points.clear();
    this.add(report.points);
    for (const mark of report.marks) this.mark(mark);
  }

  add(points: readonly HistoryPoint[]): void {
    for (const point of points) this.#points.set(point.at, point);
  }

  mark(mark: HistoryMark): void {
    this.#marks.set(mark.id, mark);
  }

  /** Whether these points are of unknown hosts. */
  hasNewHosts(points: readonly HistoryPoint[]): boolean {
    const known = new Set(this.#report?.hosts.map(({ id }) => id));
    return points.some(({ hosts }) =>
      Object.keys(hosts).some((id) => !known.has(id)),
    );
  }

  /** Advances to the step that contains `now`, and drops data older than the span. */
  timeline(now: number): Timeline {
    const { stepMs, spanMs } = this.#report ?? {
      stepMs: 5000,
      spanMs: 900_000,
    };
    const end = Math.floor(now / stepMs) * stepMs;
    const start = end - spanMs;
    for (const at of this.#points.keys())
      if (at < start) this.#points.delete(at);
    for (const [id, { at }] of this.#marks)
      if (at < start) this.#marks.delete(id);
    const times: number[] = [];
    for (let at = start; at <= end; at += stepMs) times.push(at / 1000);
    return { times, points: times.map((at) => this.#points.get(at * 1000)) };
  }

  marks(): HistoryMark[] {
    return [...this.#marks.values()];
  }
}
