import { LatencyHistogram } from "../../../lib/telemetry/latency-histogram.js";
import { SIDES, type Side } from "../../../lib/telemetry/telemetry.js";
import type { TrafficCounts } from "./traffic-recorder.js";

/** All requests that ended since the start. */
export interface SideTotals {
  /** By status. */
  status: Map<string, number>;
  latency: LatencyHistogram;
}

type Counts = Pick<TrafficCounts, "status" | "latency">;

/** Who counts the window that has not ended yet. */
interface OpenWindow {
  peekWindow: () => Record<Side, Counts>;
}

/** Adds windows up as they end: the requests themselves pay nothing for it. */
export class TrafficTotals {
  readonly #ended: Record<Side, SideTotals> = {
    prod: createTotals(),
    canary: createTotals(),
  };
  readonly #recorder: OpenWindow;

  constructor(recorder: OpenWindow) {
    this.#recorder = recorder;
  }

  /** A window has ended. */
  add(window: Record<Side, Counts>): void {
    for (const side of SIDES) addTo(this.#ended[side], window[side]);
  }

  /** With the window that has not ended yet, which grows long while Redis is away. */
  read(): Record<Side, SideTotals> {
    const current = this.#recorder.peekWindow();
    const total = (side: Side) => {
      const { status, latency } = this.#ended[side];
      const totals = { status: new Map(status), latency: latency.copy() };
      return addTo(totals, current[side]);
    };
    return { prod: total("prod"), canary: total("canary") };
  }
}

function addTo(totals: SideTotals, counts: Counts): SideTotals {
  for (const [code, count] of Object.entries(counts.status))
    totals.status.set(code, (totals.status.get(code) ?? 0) + count);
  totals.latency.merge(counts.latency);
  return totals;
}

function createTotals(): SideTotals {
  return { status: new Map(), latency: new LatencyHistogram() };
}
