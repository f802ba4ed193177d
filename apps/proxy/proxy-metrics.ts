import type { Family, Sample } from "../../lib/program/metrics.js";
import { SIDES, type Side } from "../../lib/telemetry/telemetry.js";
import type { ProxyStatus } from "./admin.js";
import type { Ratio } from "../../lib/telemetry/split-ratio.js";
import type { SideCounts } from "./traffic/window-counts.js";

export interface ProxyFigures {
  totals: Readonly<Record<Side, Pick<SideCounts, "status" | "latency">>>;
  status: ProxyStatus;
  split: Ratio;
  /** Longest age of the flag's last confirmation. */
  flagStaleMs: number;
}

/** The proxy's metrics for Prometheus. A flag whose confirmation is stale is left out, since it may have changed. */
export function toProxyFamilies(figures: ProxyFigures): Family[] {
  const { totals, status, split, flagStaleMs } = figures;
  const { value, confirmedAgoMs } = status.flag;
  const isKnown = confirmedAgoMs !== null && confirmedAgoMs <= flagStaleMs;
  const share = split.canary / (split.prod + split.canary);
  return [
    {
      name: "serin_proxy_requests_total",
      help: "Requests that ended, by the side that the split chose and that side's own status (502: failed, 504: timed out, 499: the client left).",
      type: "counter",
      samples: SIDES.flatMap((target) =>
        [...totals[target].status].map(([code, count]): Sample => [
          count,
          { target, code: String(code) },
        ]),
      ),
    },
    {
      name: "serin_proxy_request_duration_seconds",
      help: "From a request's head received to its response's head sent on. Buckets are exact, the sum is within 2.2 %.",
      type: "histogram",
      samples: SIDES.map((target) => [totals[target].latency, { target }]),
    },
    {
      name: "serin_proxy_canary_open",
      help: "Whether the canary gets its share from this proxy.",
      type: "gauge",
      samples: [[Number(status.canary.open)]],
    },
    {
      name: "serin_canary_share",
      help: "The canary's share of the requests: as the split says (configured), or as answered within the monitor's window (actual).",
      type: "gauge",
      samples: [[share, { kind: "configured" }]],
    },
    {
      name: "serin_flag",
      help: "The feature flag: 1 is on.",
      type: "gauge",
      samples: isKnown && value !== null ? [[Number(value)]] : [],
    },
    {
      name: "serin_flag_confirmed_age_seconds",
      help: "How long ago Redis last confirmed the flag.",
      type: "gauge",
      samples: confirmedAgoMs === null ? [] : [[confirmedAgoMs / 1000]],
    },
  ];
}
