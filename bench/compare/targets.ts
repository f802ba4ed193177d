import { nameOf, PLAIN } from "./contestants.js";
import type { Results } from "./results.js";

type Bounds = readonly [accept: number, aim: number];

interface Target {
  figure: string;
  unit: string;
  httpProxy: Bounds;
  direct: Bounds;
  read: (results: Figures, product: string) => number | undefined;
}

type Figures = Omit<Results, "targets">;

export interface Judged {
  figure: string;
  product: string;
  /** Undefined, and not in the file, when it was not measured. */
  value?: number;
  unit: string;
  accept: number;
  aim: number;
  verdict: "aim met" | "accepted" | "missed" | "not measured";
}

const TARGETS: readonly Target[] = [
  {
    figure: `tiny GET, CPU ÷ ${PLAIN}'s`,
    unit: "×",
    httpProxy: [0.6, 0.45],
    direct: [0.35, 0.27],
    read: (results, product) =>
      scenario(results, "tiny")?.toHttpProxy[product]?.median,
  },
  cpuTarget("tiny", "tiny GET", [3.3, 2.5], [1.8, 1.4]),
  cpuTarget("64k", "64 KiB GET", [1.55, 1.3], [1.05, 0.9]),
  cpuTarget("post", "16 KiB POST", [3.2, 2.5], [2.0, 1.4]),
  cpuTarget("1000", "1,000 connections", [3.0, 2.3], [1.8, 1.45]),
  {
    figure: "added p50, open loop, ÷ nginx's",
    unit: "×",
    httpProxy: [4, 3],
    direct: [2, 1.6],
    read: ({ latency }, product) => latency?.addedP50ToNginx[product]?.median,
  },
  {
    figure: "flip to the last canary request, longest",
    unit: "ms",
    httpProxy: [10, 10],
    direct: [10, 10],
    read: ({ flips }, product) => flips[product]?.ms?.max,
  },
  {
    figure: "split error",
    unit: "requests",
    httpProxy: [1, 1],
    direct: [1, 1],
    read: ({ split }, product) => split[product]?.maxDeviation,
  },
];

export function judgeTargets(results: Figures): Judged[] {
  return TARGETS.flatMap(({ figure, unit, httpProxy, direct, read }) =>
    (
      [
        ["http-proxy", httpProxy],
        ["direct", direct],
      ] as const
    ).map(([engine, [accept, aim]]): Judged => {
      const product = nameOf(engine);
      const value = read(results, product);
      return {
        figure,
        product,
        ...(value === undefined ? {} : { value }),
        unit,
        accept,
        aim,
        verdict: judge(value, [accept, aim]),
      };
    }),
  );
}

function judge(
  value: number | undefined,
  [accept, aim]: Bounds,
): Judged["verdict"] {
  if (value === undefined) return "not measured";
  if (value <= aim) return "aim met";
  return value <= accept ? "accepted" : "missed";
}

function cpuTarget(
  name: string,
  title: string,
  httpProxy: Bounds,
  direct: Bounds,
): Target {
  return {
    figure: `${title}, CPU ÷ nginx's`,
    unit: "×",
    httpProxy,
    direct,
    read: (results, product) =>
      scenario(results, name)?.toNginx[product]?.median,
  };
}

function scenario({ cpu }: Figures, name: string) {
  return cpu.find((row) => row.name === name);
}
