import { formatClock } from "../../../../lib/wording/units.js";
import type { LedgerEvent } from "../../../../lib/flag/ledger-event.js";
import type {
  HistoryPoint,
  HistoryReport,
} from "../../messages/history-report.js";
import { Chart } from "./chart.js";
import { createSpecs } from "./chart-specs.js";
import { byId, element, setText } from "../element.js";
import { HistoryBook, type Timeline } from "./history-book.js";
import { Palette } from "./palette.js";

/** All charts, with a common time range of 15 minutes and a common cursor. */
export class ChartBoard {
  readonly #grid = byId("charts");
  readonly #time = byId("charts-time");
  readonly #blank = element("p", { class: "blank" }, "Reading the history …");
  readonly #palette = new Palette();
  readonly #book = new HistoryBook();
  readonly #now: () => number;
  #charts: Chart[] = [];
  #timeline: Timeline = { times: [], points: [] };
  #cursor: number | null = null;
  #isDue = false;

  constructor(now: () => number) {
    this.#now = now;
    this.#grid.append(this.#blank);
    this.#palette.onChange(() => this.#charts.forEach((one) => one.redraw()));
  }

  /** @returns whether the history could be read */
  async fetch(): Promise<boolean> {
    try {
      const answer = await fetch("api/history");
      if (!answer.ok) throw new Error(`status ${answer.status}`);
      this.#replace((await answer.json()) as HistoryReport);
      return true;
    } catch {
      setText(this.#blank, "Cannot read the history. Retrying …");
      return false;
    }
  }

  /** @returns whether the history must be fetched again, because of an unknown host */
  add(points: HistoryPoint[]): boolean {
    if (this.#book.report === undefined) return false;
    this.#book.add(points);
    this.#draw();
    return this.#book.hasNewHosts(points);
  }

  mark({ id, kind, by, reason, data }: LedgerEvent): void {
    if (kind !== "flip" && kind !== "deploy") return;
    const at = Number(id.split("-", 1)[0]);
    const value = typeof data.value === "boolean" ? data.value : null;
    this.#book.mark({ id, at, kind, value, by, reason });
    this.#draw();
  }

  #replace(report: HistoryReport): void {
    const isAlike = describeLines(report) === describeLines(this.#book.report);
    this.#book.replace(report);
    // Keep charts with unchanged lines, and with them the hidden lines.
    if (isAlike) this.#draw();
    else this.#rebuild(report);
  }

  #rebuild(report: HistoryReport): void {
    for (const chart of this.#charts) chart.close();
    this.#blank.remove();
    this.#charts = createSpecs(report).map(
      (spec) =>
        new Chart(spec, {
          palette: this.#palette,
          onCursor: (index) => this.#showTime(index),
          onKey: (key) => this.#moveCursor(key),
        }),
    );
    this.#grid.append(...this.#charts.map(({ root }) => root));
    this.#showTime(null);
    this.#draw();
  }

  /** Draws at most once per frame, and not in a hidden page. */
  #draw(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    requestAnimationFrame(() => {
      this.#isDue = false;
      this.#timeline = this.#book.timeline(this.#now());
      const marks = this.#book.marks();
      for (const chart of this.#charts) chart.show(this.#timeline, marks);
    });
  }

  #showTime(index: number | null): void {
    this.#cursor = index;
    const time = index === null ? undefined : this.#timeline.times[index];
    setText(
      this.#time,
      time === undefined
        ? "newest values"
        : `values at ${formatClock(new Date(time * 1000), this.#now())}`,
    );
  }

  #moveCursor(key: string): boolean {
    const last = this.#timeline.times.length - 1;
    const from = this.#cursor ?? last + 1;
    const targets: Record<string, number | null> = {
      ArrowLeft: Math.max(0, from - 1),
      ArrowRight: Math.min(last, from + 1),
      Home: 0,
      End: last,
      Escape: null,
    };
    const target = targets[key];
    if (target === undefined) return false;
    for (const chart of this.#charts) chart.point(target);
    this.#showTime(target);
    return true;
  }
}

function describeLines(report: HistoryReport | undefined): string {
  return JSON.stringify([report?.hosts, report?.rules]);
}
