import { METHODS, SEES_ERRORS, type Method } from "./methods.js";
import type { Detection, FalseStops, Results } from "./run.js";
import { CHANGES, HARD_EDGE, TRAFFICS } from "./traffic.js";

/** The README's table: ranges over the laws. */
export function renderTable({ falseStops, detections }: Results): string {
  const isHard = ({ law }: Detection) => law === HARD_EDGE;
  const rows = [
    ...Object.keys(CHANGES).map((change) =>
      describeChange(
        change,
        detections.filter((row) => row.change === change && !isHard(row)),
      ),
    ),
    ...["× 2", "× 1.5", "× 1.2"].map((change) =>
      describeChange(
        `${change}, none below 20 ms`,
        detections.filter((row) => row.change === change && isHard(row)),
      ),
    ),
    ...TRAFFICS.map((traffic) =>
      describeHealthy(
        traffic,
        falseStops.filter((row) => row.traffic === traffic),
      ),
    ),
  ];
  const header = ["canary", ...METHODS];
  const line = (cells: string[]) => `| ${cells.join(" | ")} |`;
  return [header, header.map(() => "---"), ...rows].map(line).join("\n");
}

function describeChange(name: string, rows: Detection[]): string[] {
  const isLatency = rows.some(({ medians }) => medians.oracle !== null);
  const cells = METHODS.map((method) =>
    isLatency || method === SEES_ERRORS
      ? rangeOfMedians(rows.map(({ medians }) => medians[method]))
      : "",
  );
  return [name, ...cells];
}

function describeHealthy(traffic: string, rows: FalseStops[]): string[] {
  const cells = METHODS.map((method) =>
    method === "oracle" ? "" : rangeOfRatios(rows, method),
  );
  return [
    `healthy, ${traffic}: stopped of ${rows[0]?.releases ?? 0} a law`,
    ...cells,
  ];
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
