import {
  formatMs,
  formatQuantile,
  formatRatio,
} from "../../../../lib/wording/units.js";
import type { KnownData } from "./known-data.js";

/** One line of a mail's picture. */
export interface Bar {
  label: string;
  /** With its unit. */
  value: string;
  /** Of the longest bar, which is 1. */
  ratio: number;
  role: "subject" | "baseline" | "limit";
}

type Measured = Omit<Bar, "ratio" | "value"> & { size: number | undefined };

/** The canary as it was and as it became, beside prod and what is allowed; at least two, or there is nothing to see. */
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
