import type {
  HistoryPoint,
  HistoryReport,
  SidePoint,
} from "../../messages/history-report.js";
import {
  formatBytes,
  formatMs,
  formatRate,
  formatRatio,
} from "../../../../lib/wording/units.js";
import type { Colour } from "./palette.js";

export interface Line {
  label: string;
  colour: Colour;
  width: number;
  /** In CSS pixels; solid when empty. */
  dash: readonly number[];
  read: (point: HistoryPoint) => number | null;
}

export interface ChartSpec {
  title: string;
  lines: Line[];
  format: (value: number | null) => string;
  /** Logarithmic for values that differ by orders of magnitude. */
  isLogarithmic?: boolean;
  /** The minimum upper end of the axis. */
  floor: number;
  threshold?: number;
  /** Shown when there are no lines. */
  blank: string;
}

/** Sides differ in dashes as well as in colour. */
const DASHES = { prod: [], canary: [7, 3] };
const P99_DASHES = { prod: [1, 3], canary: [7, 3, 1, 3] };
const QUANTILES = [
  { name: "p50", key: "p50Ms", width: 1, dashes: { prod: [], canary: [4, 3] } },
  { name: "p95", key: "p95Ms", width: 2.25, dashes: DASHES },
  { name: "p99", key: "p99Ms", width: 1.25, dashes: P99_DASHES },
] as const;
const SIDES = ["prod", "canary"] as const;
/** Dashes of several hosts of a side; solid and long ones are for prod. */
const HOST_DASHES = {
  prod: [[], [12, 2], [12, 2, 2, 2]],
  canary: [
    [7, 3],
    [3, 3],
    [7, 3, 1, 3],
  ],
};

const NO_TRAFFIC = "No requests in this period.";
const NO_HOSTS = "No data from agents in this period.";

export function createSpecs({ rules, hosts }: HistoryReport): ChartSpec[] {
  return [
    {
      title: "Latency",
      lines: SIDES.flatMap((side) =>
        QUANTILES.map(({ name, key, width, dashes }) => ({
          label: `${side} ${name}`,
          colour: side,
          width,
          dash: dashes[side],
          read: ({ sides }: HistoryPoint) => sides?.[side][key] ?? null,
        })),
      ),
      format: formatMs,
      isLogarithmic: true,
      floor: 1,
      threshold: rules.latency.thresholdMs,
      blank: NO_TRAFFIC,
    },
    {
      title: "Requests",
      lines: [
        ...sideLines("requestsPerSecond"),
        {
          label: "no feature",
          colour: "prod",
          width: 1.25,
          dash: P99_DASHES.prod,
          read: ({ sides }) => sides?.prod.withoutFeaturePerSecond ?? null,
        },
      ],
      format: formatRate,
      floor: 1,
      blank: NO_TRAFFIC,
    },
    {
      title: "Errors",
      lines: sideLines("errorRatio"),
      format: formatRatio,
      floor: 0.01,
      blank: NO_TRAFFIC,
    },
    {
      title: "Split: canary’s share",
      lines: [
        {
          label: "canary",
          colour: "canary",
          width: 2,
          dash: [],
          read: ({ canaryShare }) => canaryShare,
        },
      ],
      format: formatRatio,
      floor: 0.3,
      blank: NO_TRAFFIC,
    },
    {
      title: "CPU, of one core",
      lines: hostLines(hosts, "cpuRatio"),
      format: formatRatio,
      floor: 0.1,
      threshold: rules.cpu.threshold,
      blank: NO_HOSTS,
    },
    {
      title: "Memory",
      lines: hostLines(hosts, "rssBytes"),
      format: formatBytes,
      floor: 50e6,
      blank: NO_HOSTS,
    },
  ];
}

function sideLines(key: keyof SidePoint): Line[] {
  return SIDES.map((side) => ({
    label: side,
    colour: side,
    width: 2,
    dash: DASHES[side],
    read: ({ sides }) => sides?.[side][key] ?? null,
  }));
}

function hostLines(
  hosts: HistoryReport["hosts"],
  key: "cpuRatio" | "rssBytes",
): Line[] {
  return SIDES.flatMap((side) =>
    hosts
      .filter(({ target }) => target === side)
      .map(({ id, host }, i, all) => {
        const isAlone = all.filter((other) => other.host === host).length === 1;
        return {
          label: `${side} ${isAlone ? host : id}`,
          colour: side,
          width: 1.75,
          dash: HOST_DASHES[side][i % HOST_DASHES[side].length] ?? [],
          read: (point) => point.hosts[id]?.[key] ?? null,
        } satisfies Line;
      }),
  );
}
