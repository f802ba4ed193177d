import { formatRange, renderMarkdown } from "../compare/tables.js";
import type { DetectionResults } from "../detection/slower.js";
import type { VerdictResults } from "../verdict/cost.js";
import type { StopFigures } from "./figures.js";
import {
  describeMedian,
  describeShare,
  format,
  pool,
  type SimulationResults,
} from "./tables.js";

interface Goal {
  what: string;
  first: string;
  atLeast: string;
  measured: string;
  isMet: boolean;
}

interface Measured {
  simulation: SimulationResults;
  detection: DetectionResults;
  cost: VerdictResults;
}

/** What the second edition of the verdict was to reach, and what it does. */
export function renderGoals(measured: Measured): string {
  const head = ["", "first edition", "goal", "measured", ""];
  const body = listGoals(measured).map(
    ({ what, first, atLeast, measured, isMet }) => [
      ...[what, first, atLeast, measured, isMet ? "met" : "**missed**"],
    ],
  );
  return renderMarkdown([head, ...body]);
}

function listGoals({ simulation, detection, cost }: Measured): Goal[] {
  const find = (part: string, name: string, stall = "5s"): StopFigures[] =>
    simulation.rows.flatMap((row) =>
      row.part === part && row.name.startsWith(name)
        ? (row.stopped[`stall ${stall}`] ?? [])
        : [],
    );
  const healthy = (
    what: string,
    first: string,
    most: number,
    names: readonly string[],
  ): Goal => {
    const figures = pool(names.flatMap((name) => find("healthy", name)));
    return {
      ...{ what, first, atLeast: `≤ ${100 * most} %` },
      measured: describeShare(figures),
      isMet: figures.of > 0 && figures.count <= most * figures.of,
    };
  };
  const worse = (
    name: string,
    first: string,
    most: number,
    stall = "5s",
  ): Goal => {
    const [figures] = find("worse", name, stall);
    return {
      what: `${name} at 25 %${stall === "5s" ? "" : `, \`VERDICT_STALL=${stall}\``}`,
      ...{ first, atLeast: format(most) },
      measured: describeMedian(figures),
      isMet: (figures?.median ?? Infinity) <= most,
    };
  };
  const [fast] = find("worse", "× 2, a service of 0.4 ms");
  const { slower, loadAverage } = detection;
  const [rare] = find("worse", "100 % errors on a route");
  const cpuMs = (cost.judging.us?.median ?? Infinity) / 1000;
  return [
    healthy(
      "healthy: steady, both sides stall, cron, drift, route mix",
      ...(["0 %", 0.01] as const),
      ["steady", "both sides", "cron", "drift", "ten routes", "a page", "two"],
    ),
    healthy("healthy: hiccups of three laws", "7–23 %", 0.01, ["hiccups"]),
    healthy("healthy: collections", "3–5 %", 0.02, ["collections"]),
    healthy("healthy: random stalls of either side", "5–7 %", 0.02, [
      "random stalls of either side",
    ]),
    healthy("healthy: a stall, × 20 for 2 s", "30 %", 0.02, [
      "one stall of the canary, × 20",
    ]),
    healthy("healthy: a stall, × 5 for 5 s", "47 %", 0.02, [
      "one stall of the canary, × 5",
    ]),
    healthy("healthy: cold, τ 5 s", "63 %", 0.02, ["cold canary, τ 5 s"]),
    healthy("healthy: cold, τ 20 s", "100 %", 0.02, ["cold canary, τ 20 s"]),
    worse("× 2", "118", 100, "2.5s"),
    worse("× 1.5", "196", 160, "2.5s"),
    worse("× 2", "118", 160),
    worse("× 1.5", "196", 215),
    worse("× 1.2", "2,050", 1000),
    worse("+500 ms on 5 %", "354", 190),
    worse("+500 ms on 1 %", "2,335", 910),
    {
      what: "× 2 on a service of 0.4 ms",
      ...{ first: "never", atLeast: "found" },
      measured: `${fast?.count ?? 0} of ${fast?.of ?? 0}, ${describeMedian(fast)}`,
      isMet: fast !== undefined && fast.count === fast.of,
    },
    {
      what: "100 % errors on a route of 0.1 requests/s",
      ...{ first: "never", atLeast: "≤ 20" },
      measured: `${describeMedian(rare)}, at most ${format(rare?.most ?? null)}`,
      isMet: (rare?.most ?? Infinity) <= 20,
    },
    {
      what: `the running system, × 2 after hiccups (load average ${Math.round(loadAverage)})`,
      ...{ first: "314, 12.6 s", atLeast: "200" },
      measured: `${formatRange(slower.canaryRequests)}, ${formatRange(slower.seconds)} s`,
      isMet: (slower.canaryRequests?.median ?? Infinity) <= 200,
    },
    {
      what: "CPU a second, 50 routes, 5,000 requests/s",
      ...{ first: "18 ms", atLeast: "≤ 18 ms" },
      measured: `${Math.round(cpuMs)} ms`,
      isMet: cpuMs <= 18,
    },
  ];
}
