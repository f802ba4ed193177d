import { METHODS, type Method } from "./methods.js";
import type { Detection, FalseStops } from "./run.js";
import { CHANGES, TRAFFICS } from "./traffic.js";

/** The README's table: ranges over the laws. */
export function renderTable(results: {
  falseStops: FalseStops[];
  detections: Detection[];
}): string {
  const rows = [
    ...Object.keys(CHANGES).map((change) => [
      change,
      ...METHODS.map((method) =>
        rangeOfMedians(
          results.detections
            .filter((row) => row.change === change)
            .map(({ medians }) => medians[method]),
        ),
      ),
    ]),
    ...TRAFFICS.map((traffic) => [
      `healthy, ${traffic}: stopped all the same`,
      ...METHODS.map((method) =>
        rangeOfRatios(
          results.falseStops.filter((row) => row.traffic === traffic),
          method,
        ),
      ),
    ]),
  ];
  const header = ["canary", ...METHODS];
  const line = (cells: string[]) => `| ${cells.join(" | ")} |`;
  return [header, header.map(() => "---"), ...rows].map(line).join("\n");
}

function rangeOfMedians(medians: (number | null)[]): string {
  const values = medians.map((median) => median ?? Infinity);
  const format = (value: number) =>
    Number.isFinite(value) ? value.toLocaleString("en-US") : "never";
  return range(Math.min(...values), Math.max(...values), format);
}

function rangeOfRatios(rows: FalseStops[], method: Method): string {
  const values = rows.map(({ ratios }) => ratios[method]);
  const format = (value: number) => String(Math.round(value * 1000) / 10);
  return `${range(Math.min(...values), Math.max(...values), format)} %`;
}

function range(
  low: number,
  high: number,
  format: (value: number) => string,
): string {
  const [from, to] = [format(low), format(high)];
  return from === to ? from : `${from}–${to}`;
}
