import {
  LatencyHistogram,
  type SparseHistogram,
} from "../../../lib/telemetry/latency-histogram.js";
import type {
  HostSample,
  Side,
  TrafficWindow,
} from "../../../lib/telemetry/telemetry.js";

/** A proxy's window with these latencies; without any, that of an idle side. */
export function trafficWindow(
  target: Side,
  latenciesMs: readonly number[] = [],
  fields: Partial<TrafficWindow> = {},
): TrafficWindow {
  const requests = latenciesMs.length;
  return {
    target,
    requests,
    errors: 0,
    status: requests === 0 ? {} : { 200: requests },
    latency: histogramOf(latenciesMs),
    arms: { chosen: requests, retried: 0 },
    ...fields,
  };
}

/** An agent's sample of a healthy app. */
export function hostSample(
  target: Side,
  fields: Partial<HostSample> = {},
): HostSample {
  return {
    target,
    host: "web1",
    version: "1.2.3",
    pid: 4711,
    startedAt: "2026-03-01T12:00:00.000Z",
    up: true,
    cpuRatio: 0.12,
    rssBytes: 61_341_696,
    probe: { ok: true, ms: 1.2, status: 200 },
    ...fields,
  };
}

/** An agent's sample without a running app. */
export function goneSample(target: Side): HostSample {
  return hostSample(target, {
    pid: null,
    startedAt: null,
    up: false,
    cpuRatio: null,
    rssBytes: null,
    probe: { ok: false, ms: 0.4, status: null },
  });
}

export function histogramOf(latenciesMs: readonly number[]): SparseHistogram {
  const histogram = new LatencyHistogram();
  for (const latencyMs of latenciesMs) histogram.record(latencyMs);
  return histogram.toSparse();
}

/** `count` equal values. */
export function times<T>(count: number, value: T): T[] {
  return Array.from({ length: count }, () => value);
}
