import {
  formatMs,
  formatQuantile,
  formatRatio,
} from "../../../../lib/wording/units.js";
import type { KnownData } from "./known-data.js";

/** One bar of a mail's chart. */
export interface Bar {
  label: string;
  /** With its unit. */
  value: string;
  /** The length; the longest bar has 1. */
  ratio: number;
  role: "subject" | "baseline" | "limit";
}

type Measured = [label: string, size: number | undefined, role: Bar["role"]];

/** The canary before and after, prod, and the limit; empty if fewer than two are known. */
export function listBars(data: KnownData): Bar[] {
  const { quantile } = data;
  const p = quantile === undefined ? "" : ` ${formatQuantile(quantile)}`;
  const side = data.side === "prod" ? "prod" : "canary";
  const latencies = toBars(formatMs, [
    [`canary${p} before`, data.canaryBeforeMs, "baseline"],
    [
      `canary${p}`,
      data.canaryLatencyMs ?? (side === "canary" ? data.latencyMs : undefined),
      "subject",
    ],
    [
      `prod${p}`,
      data.prodLatencyMs ?? (side === "prod" ? data.latencyMs : undefined),
      "baseline",
    ],
    ["threshold", data.thresholdMs, "limit"],
  ]);
  if (latencies.length > 0) return latencies;
  return toBars(formatRatio, [
    ["CPU", data.cpuRatio, "subject"],
    ["threshold", data.threshold, "limit"],
  ]);
}

function toBars(format: (size: number) => string, all: Measured[]): Bar[] {
  const known = all.flatMap(([label, size = -1, role]) =>
    size >= 0 ? [{ label, size, role }] : [],
  );
  const longest = Math.max(...known.map(({ size }) => size));
  if (known.length < 2 || longest === 0) return [];
  return known.map(({ label, role, size }) => ({
    label,
    role,
    value: format(size),
    ratio: size / longest,
  }));
}
