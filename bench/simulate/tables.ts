import { formatSpan } from "../../lib/wording/units.js";
import { renderMarkdown } from "../compare/tables.js";
import type { RunFacts } from "../results-file.js";
import { upperBound, type Figures, type StopFigures } from "./figures.js";
import { findFirst } from "./first-edition.js";

/** bench/results/simulate.json */
export interface SimulationResults extends RunFacts {
  rows: Figures[];
}

const DEFAULT = "stall 5s";
const SHORT = "stall 2.5s";

/** Healthy releases that the verdict stops. */
export function renderHealthy({ rows }: SimulationResults): string {
  const head = [
    ...["healthy canary", "law", "first edition"],
    ...["stopped, `VERDICT_STALL=5s`", "`2.5s`"],
  ];
  const body = rows
    .filter(({ part }) => part === "healthy")
    .map(({ name, law, stopped }) => [
      ...[name, law, findFirst("healthy", name)],
      ...[DEFAULT, SHORT].map((by) => describeShare(stopped[by])),
    ]);
  return renderMarkdown([head, ...body]);
}

/** How soon it stops worse ones, at 25 % or along a ramp. */
export function renderWorse(
  { rows }: SimulationResults,
  part: "worse" | "ramp",
): string {
  const head = [
    ...["the canary", "law", "releases", "first edition"],
    ...["`VERDICT_STALL=5s`", "`2.5s`"],
  ];
  const body = rows
    .filter((row) => row.part === part)
    .map(({ name, law, releases, stopped }) => [
      ...[name, law, String(releases), findFirst(part, name)],
      ...[DEFAULT, SHORT].map((by) => describeMedian(stopped[by])),
    ]);
  return renderMarkdown([head, ...body]);
}

/** Beside other methods: ranges over the laws. */
export function renderRivals({ rows }: SimulationResults): string {
  const own = rows.filter(({ part }) => part === "rivals");
  const methods = Object.keys(own[0]?.stopped ?? {}).filter(
    (by) => by !== SHORT,
  );
  const names = [...new Set(own.map(({ name }) => name))];
  const head = [
    "canary",
    ...methods.map((by) => (by === DEFAULT ? "the verdict" : by)),
  ];
  const body = names.map((name) => {
    const ofName = own.filter((row) => row.name === name);
    const cells = methods.map((by) => {
      const figures = ofName.flatMap(({ stopped }) => stopped[by] ?? []);
      return name.startsWith("healthy")
        ? describeShare(pool(figures))
        : rangeOfMedians(figures);
    });
    return [name, ...cells];
  });
  return renderMarkdown([head, ...body]);
}

/** `2 of 300 (≤ 2 %)`: with 95 % confidence it is at most that. */
export function describeShare(figures: Counted | undefined): string {
  if (figures === undefined) return "";
  const { count, of, upToRatio } = figures;
  return `${count} of ${of} (≤ ${percent(upToRatio)})`;
}

/** `154 (≤ 160; 90 %: 201), 6 s` */
export function describeMedian(figures: StopFigures | undefined): string {
  if (figures === undefined) return "";
  const { count, of, median, upToMedian, p90, medianSeconds } = figures;
  if (median === null || medianSeconds === null)
    return `found in ${count} of ${of}`;
  const bounds = `≤ ${format(upToMedian)}; 90 %: ${format(p90)}`;
  return `${format(median)} (${bounds}), ${formatSeconds(medianSeconds)}`;
}

type Counted = Pick<StopFigures, "count" | "of" | "upToRatio">;

function rangeOfMedians(figures: readonly StopFigures[]): string {
  const medians = figures.map(({ median }) => median ?? Infinity);
  const show = (value: number) => format(Number.isFinite(value) ? value : null);
  const [low, high] = [show(Math.min(...medians)), show(Math.max(...medians))];
  return low === high ? low : `${low}–${high}`;
}

export function format(requests: number | null): string {
  return requests === null ? "never" : requests.toLocaleString("en-US");
}

function formatSeconds(seconds: number): string {
  return seconds < 120 ? `${seconds} s` : formatSpan(1000 * seconds);
}

/** The same of several rows together. */
export function pool(figures: readonly StopFigures[]): Counted {
  const sum = (what: "count" | "of") =>
    figures.reduce((all, one) => all + one[what], 0);
  const [count, of] = [sum("count"), sum("of")];
  return { count, of, upToRatio: upperBound(count, of) };
}

function percent(ratio: number): string {
  const digits = ratio < 0.1 ? 10 : 1;
  return `${Math.round(100 * digits * ratio) / digits} %`;
}
