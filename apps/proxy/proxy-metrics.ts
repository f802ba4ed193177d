import {
  counter,
  gauge,
  type Family,
  type Sample,
} from "../../lib/program/metrics.js";
import { SIDES, type Side } from "../../lib/telemetry/telemetry.js";
import type { ProxyStatus } from "./admin.js";
import { CANARY_SHARE_HELP } from "../../lib/telemetry/split-ratio.js";
import type { TrafficSum } from "./traffic/traffic-sum.js";
import type { SideCounts } from "./traffic/window-counts.js";

export interface ProxyFigures {
  traffic: Pick<TrafficSum, "totals" | "routes" | "upstreams">;
  status: ProxyStatus;
  /** Longest age of the flag's last confirmation. */
  flagStaleMs: number;
}

/** The proxy's metrics for Prometheus. A flag whose confirmation is stale is left out, since it may have changed. */
export function toProxyFamilies(figures: ProxyFigures): Family[] {
  const { traffic, status, flagStaleMs } = figures;
  const { totals } = traffic;
  const { value, confirmedAgoMs } = status.flag;
  const isKnown = confirmedAgoMs !== null && confirmedAgoMs <= flagStaleMs;
  return [
    counter(
      "serin_proxy_requests_total",
      'Requests that ended, by the side that the split chose and that side\'s own status (502: failed, 504: timed out, 499: the client left; 503 with feature="off": turned away because the flag is off).',
      SIDES.flatMap((target) => countsByCode(target, totals[target])),
    ),
    {
      name: "serin_proxy_request_duration_seconds",
      help: "From a request's head received to its response's head sent on. Buckets are exact, the sum is within 2.2 %.",
      type: "histogram",
      samples: SIDES.map((target) => {
        const { latency, above500Ms } = totals[target];
        return [latency, { target }, above500Ms];
      }),
    },
    counter(
      "serin_proxy_opted_in_requests_total",
      "Requests that asked for the canary by a header or cookie and were sent there. No other metric but those of upstreams counts them.",
      [[totals.canary.optedIn]],
    ),
    counter(
      "serin_proxy_found_elsewhere_total",
      "Requests that this side answered 404 and the other one served (ASSET_FALLBACK).",
      SIDES.map((target) => [totals[target].foundElsewhere, { target }]),
    ),
    ...routeFamilies(traffic),
    ...upstreamFamilies(traffic),
    gauge(
      "serin_proxy_canary_open",
      "Whether the canary gets its share from this proxy.",
      [[Number(status.canary.open)]],
    ),
    gauge(
      "serin_proxy_telemetry_untaken_seconds",
      "For how long Redis has not taken this proxy's telemetry; 0 while it does.",
      [[status.telemetry.untakenForMs / 1000]],
    ),
    gauge("serin_canary_share", CANARY_SHARE_HELP, [
      [status.weight / 100, { kind: "configured" }],
    ]),
    gauge(
      "serin_flag",
      "The feature flag: 1 is on.",
      isKnown && value !== null ? [[Number(value)]] : [],
    ),
    gauge(
      "serin_flag_confirmed_age_seconds",
      "How long ago Redis last confirmed the flag.",
      confirmedAgoMs === null ? [] : [[confirmedAgoMs / 1000]],
    ),
  ];
}

function countsByCode(
  target: Side,
  { status, withoutFeature }: Pick<SideCounts, "status" | "withoutFeature">,
): Sample[] {
  const samples = [...status].map(([code, count]): Sample => [
    code === 503 ? count - withoutFeature : count,
    { target, code: String(code) },
  ]);
  return withoutFeature === 0
    ? samples
    : [...samples, [withoutFeature, { target, code: "503", feature: "off" }]];
}

function routeFamilies({ routes }: Pick<TrafficSum, "routes">): Family[] {
  const all = routes.list().map(({ route, side: target, total }) => {
    const { ends, latency } = total;
    return { labels: { target, route }, ends, latency };
  });
  return [
    counter(
      "serin_proxy_route_requests_total",
      "Requests by route: method and first path segment. Those of more than sixteen routes are `other`. rejected: 4xx; failed: 5xx or no answer; left: the client did.",
      all.flatMap(({ labels, ends }) => countsByEnd(labels, ends)),
    ),
    {
      name: "serin_proxy_route_duration_seconds",
      help: "As serin_proxy_request_duration_seconds, by route. Without requests that prod answered in the canary's place.",
      type: "histogram",
      samples: all.map(({ labels, latency }) => [latency, labels]),
    },
  ];
}

function upstreamFamilies({
  upstreams,
}: Pick<TrafficSum, "upstreams">): Family[] {
  const all = upstreams.list().map(({ side: target, upstream, ...total }) => {
    return { labels: { target, upstream }, ...total };
  });
  return [
    counter(
      "serin_proxy_upstream_requests_total",
      "Attempts by instance, also those that another one answered in its place.",
      all.flatMap(({ labels, ends }) => countsByEnd(labels, ends)),
    ),
    {
      name: "serin_proxy_upstream_duration_seconds",
      help: "From the attempt's begin, with the connection, to the response's head.",
      type: "histogram",
      samples: all.map(({ labels, latency }) => [latency, labels]),
    },
  ];
}

function countsByEnd(
  labels: Readonly<Record<string, string>>,
  ends: Readonly<Record<string, number>>,
): Sample[] {
  return Object.entries(ends).map(([outcome, count]) => [
    count,
    { ...labels, outcome },
  ]);
}
