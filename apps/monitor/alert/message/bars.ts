import {
  formatMs,
  formatQuantile,
  formatRatio,
} from "../../../../lib/wording/units.js";
import type { KnownData } from "./known-data.js";

/** Only a canary that is slower than this many times its former latency has changed. */
const TELLING_RATIO = 1.25;

/** One bar of a mail's chart. */
export interface Bar {
  label: string;
  /** With its unit. */
  value: string;
  /** The length; the longest bar has 1. */
  ratio: number;
  /** `over`: beyond what it is compared with. */
  role: "over" | "subject" | "baseline" | "limit";
}

type Measured = [label: string, size: number | undefined, role: Bar["role"]];

/** The canary, prod and the limit; empty if fewer than two are known. */
export function listBars(data: KnownData): Bar[] {
  const { quantile, side, latencyMs, thresholdMs, rule } = data;
  const p = quantile === undefined ? "" : ` ${formatQuantile(quantile)}`;
  const own = (of: "canary" | "prod") => (side === of ? latencyMs : undefined);
  const canary = data.canaryLatencyMs ?? own("canary");
  const isOver = (size: number | undefined) =>
    rule === "verdict" || (size ?? 0) > (thresholdMs ?? Infinity);
  const latencies = toBars(formatMs, [
    [`canary${p} before`, findBefore(data, canary), "baseline"],
    [`canary${p}`, canary, isOver(canary) ? "over" : "subject"],
    [`prod${p}`, data.prodLatencyMs ?? own("prod"), "baseline"],
    ["threshold", thresholdMs, "limit"],
  ]);
  if (latencies.length > 0) return latencies;
  const { cpuRatio, threshold = Infinity } = data;
  return toBars(formatRatio, [
    ["CPU", cpuRatio, (cpuRatio ?? 0) > threshold ? "over" : "subject"],
    ["threshold", data.threshold, "limit"],
  ]);
}

/** Undefined where the canary has been as slow from the start: it would tell nothing. */
function findBefore(
  { canaryBeforeMs }: KnownData,
  canaryMs = 0,
): number | undefined {
  const hasChanged = canaryMs > TELLING_RATIO * (canaryBeforeMs ?? Infinity);
  return hasChanged ? canaryBeforeMs : undefined;
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
