import type { ChartSpec, Line } from "./chart-specs.js";
import { element, setText, svgElement } from "../element.js";

/** A toggle button for each line, with its style and value. */
export class ChartLegend {
  readonly root: HTMLElement;
  readonly #values: HTMLElement[] = [];
  readonly #format: ChartSpec["format"];

  /** @param onToggle receives the index of the line and whether to show it */
  constructor(
    spec: ChartSpec,
    onToggle: (index: number, isShown: boolean) => void,
  ) {
    this.#format = spec.format;
    const entries = spec.lines.map((line, index) => {
      const value = element(
        "span",
        { class: "legend-value" },
        spec.format(null),
      );
      this.#values.push(value);
      const button = element(
        "button",
        { type: "button", class: "legend-entry", "aria-pressed": "true" },
        createSwatch(line),
        element("span", { class: "legend-label" }, line.label),
        value,
      );
      button.addEventListener("click", () => {
        const isShown = button.getAttribute("aria-pressed") !== "true";
        button.setAttribute("aria-pressed", String(isShown));
        onToggle(index, isShown);
      });
      return element("li", {}, button);
    });
    this.root = element("ul", { class: "legend" }, ...entries);
  }

  show(values: (number | null)[]): void {
    this.#values.forEach((cell, i) =>
      setText(cell, this.#format(values[i] ?? null)),
    );
  }
}

function createSwatch({ colour, width, dash }: Line): SVGElement {
  const line = svgElement("line", {
    x1: "0",
    x2: "18",
    y1: "4",
    y2: "4",
    class: `swatch-${colour}`,
    "stroke-width": String(width),
    "stroke-dasharray": dash.join(" "),
  });
  return svgElement(
    "svg",
    { class: "swatch", viewBox: "0 0 18 8", "aria-hidden": "true" },
    line,
  );
}
