import { LatencyHistogram } from "../../../lib/telemetry/latency-histogram.js";
import { SIDES, type Side } from "../../../lib/telemetry/telemetry.js";
import { MergedRoutes } from "./merged-routes.js";
import type { TrafficCounts } from "./traffic-recorder.js";

type Windows = Record<Side, TrafficCounts>;

interface Sum {
  requests: number;
  errors: number;
  status: Record<string, number>;
  latency: LatencyHistogram;
  chosen: number;
  retried: number;
  rescued: number;
  dealt: number;
}

/** What several recorders have counted, as if it had been one. A recorder is told apart by whatever object stands for it. */
export class MergedTraffic {
  #sums: Record<Side, Sum> = { prod: createSum(), canary: createSum() };
  readonly #routes = new MergedRoutes();
  /** Not summed over windows: of each recorder only the requests count that wait by its last account. */
  readonly #waiting = new Map<object, Windows>();
  readonly #totals: Record<Side, number> = { prod: 0, canary: 0 };
  #windowStartedAt: number;

  /** @param now monotonic ms, here and below */
  constructor(now: number) {
    this.#windowStartedAt = now;
  }

  /** Requests that the split gave to each side since the start. */
  get totals(): Readonly<Record<Side, number>> {
    return this.#totals;
  }

  /** @param windows what the recorder has counted since it was last asked */
  add(recorder: object, windows: Windows): void {
    for (const side of SIDES) {
      addTo(this.#sums[side], windows[side]);
      this.#totals[side] += windows[side].arms.chosen;
    }
    this.#routes.add(windows);
    this.#waiting.set(recorder, windows);
  }

  /** Nobody waits any more for what that recorder knew. */
  forget(recorder: object): void {
    this.#waiting.delete(recorder);
  }

  /** What was added since the last window, which ends here. */
  takeWindow(now: number): Windows {
    const windowMs = Math.round(now - this.#windowStartedAt);
    this.#windowStartedAt = now;
    const routes = this.#routes.take();
    return {
      prod: {
        ...this.#takeSide("prod", windowMs),
        routes: routes.prod,
        routesAlone: routes.alone,
      },
      canary: {
        ...this.#takeSide("canary", windowMs),
        routes: routes.canary,
      },
    };
  }

  /** The window so far, which goes on. */
  peekWindow(): Record<Side, Pick<TrafficCounts, "status" | "latency">> {
    const peek = ({ status, latency }: Sum) => ({
      status: { ...status },
      latency: latency.toSparse(),
    });
    return { prod: peek(this.#sums.prod), canary: peek(this.#sums.canary) };
  }

  #takeSide(side: Side, windowMs: number): TrafficCounts {
    const { chosen, retried, rescued, latency, ...sum } = this.#sums[side];
    this.#sums[side] = createSum();
    const waiting = new LatencyHistogram();
    for (const windows of this.#waiting.values())
      waiting.merge(windows[side].waiting ?? []);
    return {
      ...sum,
      latency: latency.toSparse(),
      arms: { chosen, retried, rescued },
      waiting: waiting.toSparse(),
      windowMs,
    };
  }
}

function createSum(): Sum {
  return {
    requests: 0,
    errors: 0,
    status: {},
    latency: new LatencyHistogram(),
    chosen: 0,
    retried: 0,
    rescued: 0,
    dealt: 0,
  };
}

function addTo(sum: Sum, counts: TrafficCounts): void {
  sum.requests += counts.requests;
  sum.errors += counts.errors;
  sum.dealt += counts.dealt ?? 0;
  sum.chosen += counts.arms.chosen;
  sum.retried += counts.arms.retried;
  sum.rescued += counts.arms.rescued ?? 0;
  sum.latency.merge(counts.latency);
  for (const [status, count] of Object.entries(counts.status))
    sum.status[status] = (sum.status[status] ?? 0) + count;
}
