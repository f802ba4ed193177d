import type { Side } from "../../../lib/telemetry/telemetry.js";
import type { LatencyFigures } from "./judge-latency.js";

/** `canary p95 1,012 ms > 500 ms over 10 s (7 requests, 2 of them still waiting)` */
export function describeLatency(side: Side, figures: LatencyFigures): string {
  const quantile = `p${Number((figures.quantile * 100).toFixed(2))}`;
  const { thresholdMs } = figures;
  const latencyMs = figures.latencyMs ?? 0;
  const isAbove = latencyMs > thresholdMs;
  const latency =
    isAbove && Math.round(latencyMs) === thresholdMs
      ? `${latencyMs} ms`
      : formatMs(latencyMs);
  const waiting =
    figures.waiting > 0 ? `, ${figures.waiting} of them still waiting` : "";
  return (
    `${side} ${quantile} ${latency} ${isAbove ? ">" : "≤"} ${formatMs(thresholdMs)} ` +
    `over ${figures.windowMs / 1000} s (${figures.requests} requests${waiting})`
  );
}

/** `1,012 ms` */
export function formatMs(ms: number): string {
  return `${Math.round(ms).toLocaleString("en-US")} ms`;
}

/** `45 s`, `2 min`, `1 h` */
export function formatDuration(ms: number): string {
  if (ms < 120_000) return `${Math.round(ms / 100) / 10} s`;
  return ms < 7_200_000
    ? `${Math.round(ms / 60_000)} min`
    : `${Math.round(ms / 3_600_000)} h`;
}

/** What to say when the trouble with this id, such as `gone:agent@web1:3101`, has ended. */
export function describeEnd(id: string): string {
  const [kind = "", source = ""] = id.split(/:(.*)/s);
  switch (kind) {
    case "silence":
      return `${source} is no longer silent`;
    case "gone":
      return `the app of ${source} is no longer gone`;
    case "probe":
      return `the app of ${source} no longer fails its health probe`;
    case "cpu":
      return `the app of ${source} no longer keeps a core busy`;
    case "flag-value":
      return "the flag holds true or false again";
    case "verdict":
      return source === "split"
        ? "the split deals requests in its ratio again"
        : "the canary is no longer found to be worse than prod";
    case "latency":
      return `${source} is no longer slow`;
    default:
      return `over: ${id}`;
  }
}
