import uPlot from "uplot";
import type { HistoryMark } from "../../messages/history-report.js";
import { ChartLegend } from "./chart-legend.js";
import { describeMarks, drawMarks } from "./chart-marks.js";
import { createOptions } from "./chart-options.js";
import type { ChartSpec } from "./chart-specs.js";
import { element, setText } from "../element.js";
import { newestValue, type Timeline } from "./history-book.js";
import type { Palette } from "./palette.js";

const HEIGHT_PX = 168;

/** A chart with its title and legend. The legend shows the values at the cursor, or the newest. */
export class Chart {
  readonly root: HTMLElement;
  readonly #spec: ChartSpec;
  readonly #legend: ChartLegend;
  readonly #plot: uPlot;
  readonly #canvas: HTMLCanvasElement | null;
  readonly #tip = element("div", { class: "chart-tip", hidden: "" });
  readonly #blank: HTMLElement;
  readonly #resized: ResizeObserver;
  #marks: readonly HistoryMark[] = [];
  #columns: (number | null)[][] = [];

  constructor(
    spec: ChartSpec,
    context: {
      palette: Palette;
      /** Receives the step under the cursor of any chart, or null. */
      onCursor: (index: number | null) => void;
      onKey: (key: string) => boolean;
    },
  ) {
    const { palette, onCursor, onKey } = context;
    this.#spec = spec;
    this.#legend = new ChartLegend(spec, (index, isShown) => {
      this.#plot.setSeries(index + 1, { show: isShown });
    });
    this.#blank = element(
      "p",
      { class: "chart-blank", hidden: "" },
      spec.blank,
    );
    const stage = element("div", {
      class: "chart-stage",
      tabindex: "0",
      role: "group",
      "aria-label": `${spec.title} chart: use the arrow keys to read values`,
    });
    const title = element("h3", {}, spec.title);
    if (spec.threshold !== undefined) {
      const limit = ` limit ${spec.format(spec.threshold)}`;
      title.append(element("span", { class: "threshold" }, limit));
    }
    this.root = element(
      "article",
      { class: "chart" },
      element("div", { class: "chart-head" }, title),
      this.#legend.root,
      stage,
    );
    const options = createOptions(spec, palette, HEIGHT_PX);
    options.hooks = {
      draw: [(plot) => drawMarks(plot, this.#marks, palette)],
      setCursor: [
        (plot) => {
          const index = plot.cursor.idx ?? null;
          this.#read(index);
          this.#showTip(plot);
          onCursor(index);
        },
      ],
    };
    this.#plot = new uPlot(options, [[]], stage);
    this.#canvas = stage.querySelector("canvas");
    this.#canvas?.setAttribute("role", "img");
    this.#plot.over.append(this.#tip);
    stage.append(this.#blank);
    stage.addEventListener("keydown", (event) => {
      if (onKey(event.key)) event.preventDefault();
    });
    stage.addEventListener("blur", () => onKey("Escape"));
    this.#resized = new ResizeObserver(() => {
      const width = stage.clientWidth;
      if (width > 0) this.#plot.setSize({ width, height: HEIGHT_PX });
    });
    this.#resized.observe(stage);
  }

  show({ times, points }: Timeline, marks: readonly HistoryMark[]): void {
    const { lines, threshold } = this.#spec;
    this.#marks = marks;
    this.#columns = lines.map(({ read }) =>
      points.map((point) => (point === undefined ? null : read(point))),
    );
    const limit = threshold === undefined ? [] : [times.map(() => threshold)];
    this.#plot.setData([times, ...this.#columns, ...limit]);
    this.#blank.hidden = this.#columns.some((column) =>
      column.some((value) => value !== null),
    );
    this.#canvas?.setAttribute("aria-label", this.#describe());
    this.#read(this.#plot.cursor.idx ?? null);
  }

  /** The picture in words: each line's newest value, and between which values it was. */
  #describe(): string {
    const { title, lines, format } = this.#spec;
    const texts = lines.flatMap(({ label }, i) => {
      const column = this.#columns[i] ?? [];
      const known = column.filter((value) => value !== null);
      if (known.length === 0) return [];
      const [least, most] = [Math.min(...known), Math.max(...known)];
      const now = format(newestValue(column));
      return [`${label} ${now}, from ${format(least)} to ${format(most)}`];
    });
    return `${title}: ${texts.join("; ") || this.#spec.blank}`;
  }

  /** Sets the cursor to a step, or removes it. */
  point(index: number | null): void {
    const time = index === null ? undefined : this.#plot.data[0][index];
    const left = time === undefined ? -10 : this.#plot.valToPos(time, "x");
    const top = time === undefined ? -10 : HEIGHT_PX / 2;
    this.#plot.setCursor({ left, top });
  }

  redraw(): void {
    this.#plot.redraw(false);
  }

  close(): void {
    this.#resized.disconnect();
    this.#plot.destroy();
    this.root.remove();
  }

  #read(index: number | null): void {
    this.#legend.show(
      this.#columns.map((column) =>
        index === null ? newestValue(column) : (column[index] ?? null),
      ),
    );
  }

  #showTip(plot: uPlot): void {
    const { left = -10 } = plot.cursor;
    const text =
      left >= 0 && plot.root.parentElement?.matches(":hover, :focus") === true
        ? describeMarks(plot, this.#marks, left)
        : "";
    this.#tip.hidden = text === "";
    if (text === "") return;
    setText(this.#tip, text);
    const isLeft = left < plot.over.clientWidth / 2;
    this.#tip.style.left = isLeft ? `${left + 8}px` : "auto";
    this.#tip.style.right = isLeft
      ? "auto"
      : `${plot.over.clientWidth - left + 8}px`;
  }
}
