import { FINDS_LATE, METHODS, SEES_ERRORS, type Method } from "./methods.js";
import type { Detection, FalseStops, Results } from "./run.js";
import { CHANGES, HARD_EDGE, TRAFFICS } from "./traffic.js";

/** The table of docs/verdict.md: ranges over the laws. */
export function renderTable({ falseStops, detections }: Results): string {
  const isHard = ({ law }: Detection) => law === HARD_EDGE;
  const early = detections.filter(({ afterMinutes }) => afterMinutes === 0);
  const late = detections.filter(({ afterMinutes }) => afterMinutes > 0);
  const lateNames = new Set(late.map(nameLate));
  const rows = [
    ...Object.keys(CHANGES).map((change) =>
      describeChange(
        change,
        early.filter((row) => row.change === change && !isHard(row)),
      ),
    ),
    ...["× 2", "× 1.5", "× 1.2"].map((change) =>
      describeChange(
        `${change}, none below 20 ms`,
        early.filter((row) => row.change === change && isHard(row)),
      ),
    ),
    ...[...lateNames].map((name) =>
      describeChange(
        name,
        late.filter((row) => nameLate(row) === name),
        FINDS_LATE,
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

function nameLate({ change, afterMinutes }: Detection): string {
  return `${change}, healthy for ${afterMinutes} minutes before`;
}

function describeChange(
  name: string,
  rows: Detection[],
  methods: readonly Method[] = METHODS,
): string[] {
  const isLatency = rows.some(({ change }) => CHANGES[change]?.latency);
  const cells = METHODS.map((method) =>
    (isLatency && methods.includes(method)) || method === SEES_ERRORS
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
