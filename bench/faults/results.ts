import { formatRange } from "../compare/tables.js";
import type { RunFacts } from "../results-file.js";
import { rangeOf, type Range } from "../statistics.js";

/** From the canary's fault until the proxy sends it nothing, run by run. */
export interface StopFigures {
  name: string;
  perSecond: number;
  seconds: number[];
  canaryRequests: number[];
}

export interface RestartFigures {
  what: "reload" | "stop";
  rttMs: number;
  times: number;
  requests: number;
  lost: number;
}

export interface StallFigures {
  stallMs: number;
  stalls: number;
  /** Stalls after which the flag was false. */
  stops: number;
  /** Seconds from the end of a stall until the canary was served. */
  backAfter: Range | null;
}

/** The results of `npm run bench:faults`. */
export interface FaultResults extends RunFacts {
  stops: StopFigures[];
  restarts: RestartFigures[];
  stalls: StallFigures;
}

/** For docs/performance.md. */
export function renderFaults(results: FaultResults): string {
  const { stops, restarts, stalls } = results;
  const rtts = [...new Set(restarts.map(({ rttMs }) => rttMs))];
  const lost = (what: string, rttMs: number) => {
    const found = restarts.find((it) => it.what === what && it.rttMs === rttMs);
    return found === undefined
      ? "–"
      : `${found.lost} of ${found.requests.toLocaleString("en-US")}`;
  };
  const times = restarts[0]?.times ?? 0;
  return [
    "| the canary … | requests/s | out after, s | requests to the canary |",
    "| --- | --- | --- | --- |",
    ...stops.map(
      ({ name, perSecond, seconds, canaryRequests }) =>
        `| ${name} | ${perSecond} | ${formatRange(rangeOf(seconds))} | ${formatRange(rangeOf(canaryRequests))} |`,
    ),
    "",
    `| requests lost over ${times} of each, by round trip | ${rtts.map((rtt) => `${rtt} ms`).join(" | ")} |`,
    `| --- ${rtts.map(() => "| ---").join(" ")} |`,
    ...(["reload", "stop"] as const).map(
      (what) =>
        `| ${what} | ${rtts.map((rtt) => lost(what, rtt)).join(" | ")} |`,
    ),
    "",
    `Redis stalled ${stalls.stalls} times for ${stalls.stallMs / 1000} s, with a quarter of the requests on \`/set\` and \`/get\`: the healthy canary was stopped ${stalls.stops} times, and served again ${formatRange(stalls.backAfter)} s after the stall.`,
    "",
    `Measured on ${results.cores} cores that others used too, at a load average of ${results.loadAverage}.`,
  ].join("\n");
}
