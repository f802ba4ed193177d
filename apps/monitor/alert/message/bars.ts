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

type Measured = Omit<Bar, "ratio" | "value"> & { size: number | undefined };

/** The canary before and after, prod, and the limit; empty if fewer than two are known. */
export function listBars(data: KnownData): Bar[] {
  const { quantile } = data;
  const p = quantile === undefined ? "" : ` ${formatQuantile(quantile)}`;
  const side = data.side === "prod" ? "prod" : "canary";
  const latencies = toBars(formatMs, [
    {
      label: `canary${p} before`,
      size: data.canaryBeforeMs,
      role: "baseline",
    },
    {
      label: `canary${p}`,
      size:
        data.canaryLatencyMs ??
        (side === "canary" ? data.latencyMs : undefined),
      role: "subject",
    },
    {
      label: `prod${p}`,
      size:
        data.prodLatencyMs ?? (side === "prod" ? data.latencyMs : undefined),
      role: "baseline",
    },
    { label: "threshold", size: data.thresholdMs, role: "limit" },
  ]);
  if (latencies.length > 0) return latencies;
  return toBars(formatRatio, [
    { label: "CPU", size: data.cpuRatio, role: "subject" },
    { label: "threshold", size: data.threshold, role: "limit" },
  ]);
}

function toBars(format: (size: number) => string, all: Measured[]): Bar[] {
  const known = all.flatMap(({ size, ...bar }) =>
    size !== undefined && size >= 0 ? [{ ...bar, size }] : [],
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
