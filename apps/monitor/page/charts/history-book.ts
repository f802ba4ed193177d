import type {
  HistoryMark,
  HistoryPoint,
  HistoryReport,
} from "../../messages/history-report.js";

/** What the charts draw: steps of equal length, without a point where nothing was heard. */
export interface Timeline {
  /** The steps' starts, in seconds since the epoch. */
  times: number[];
  points: (HistoryPoint | undefined)[];
}

/**
 * What a line tells of now. The step that has just begun may have nothing yet; what is older than the one before is not of
 * now any more.
 */
export function newestValue(line: readonly (number | null)[]): number | null {
  return line.at(-1) ?? line.at(-2) ?? null;
}

/** The history as fetched, and all points and marks that came after it. */
export class HistoryBook {
  readonly #points = new Map<number, HistoryPoint>();
  readonly #marks = new Map<string, HistoryMark>();
  #report: HistoryReport | undefined;

  get report(): HistoryReport | undefined {
    return this.#report;
  }

  /** Marks are told once, and one may have been while the report was on its way: those that it lacks stay. */
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

  /** Whether these points are of hosts that are not known yet. */
  hasNewHosts(points: readonly HistoryPoint[]): boolean {
    const known = new Set(this.#report?.hosts.map(({ id }) => id));
    return points.some(({ hosts }) =>
      Object.keys(hosts).some((id) => !known.has(id)),
    );
  }

  /** Up to the step that `now` lies in; what is older than the span is forgotten. */
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
