import {
  LatencyHistogram,
  type SparseHistogram,
} from "../../../lib/telemetry/latency-histogram.js";
import {
  SIDES,
  type InstanceWindow,
  type Side,
} from "../../../lib/telemetry/telemetry.js";

/** `left`: the client went away before the response. */
export type AttemptEnd = "served" | "failed" | "left";

export interface UpstreamTotal {
  readonly side: Side;
  /** `10.0.0.11:3001` */
  readonly upstream: string;
  readonly ends: Readonly<Record<AttemptEnd, number>>;
  /** Of the responses, with the connection. */
  readonly latency: LatencyHistogram;
}

export type UpstreamWindow = Omit<UpstreamTotal, "latency"> & {
  latency: SparseHistogram;
};

class Tally {
  readonly ends = { served: 0, failed: 0, left: 0 };
  readonly latency = new LatencyHistogram();
}

/** Counts attempts by instance. The URLs that the proxy is given bound its size. */
export class UpstreamCounts {
  #tallies: Record<Side, Map<string, Tally>> = createTallies();

  /** @param responseMs undefined without a response */
  note(
    { side, name }: { side: Side; name: string },
    end: AttemptEnd,
    responseMs: number | undefined,
  ): void {
    const { ends, latency } = this.#tallyOf(side, name);
    ends[end] += 1;
    if (responseMs !== undefined) latency.record(responseMs);
  }

  add(windows: readonly UpstreamWindow[]): void {
    for (const { side, upstream, ends, latency } of windows) {
      const tally = this.#tallyOf(side, upstream);
      tally.ends.served += ends.served;
      tally.ends.failed += ends.failed;
      tally.ends.left += ends.left;
      tally.latency.merge(latency);
    }
  }

  /** Since the start, or the last call of `take`. */
  list(): UpstreamTotal[] {
    return SIDES.flatMap((side) =>
      [...this.#tallies[side]].map(([upstream, { ends, latency }]) => {
        return { side, upstream, ends, latency };
      }),
    );
  }

  /** The same as `take`, for telemetry. */
  takeBySide(): Record<Side, Record<string, InstanceWindow>> {
    const taken = this.take();
    const describe = (wanted: Side) =>
      Object.fromEntries(
        taken
          .filter(({ side }) => side === wanted)
          .map(({ upstream, ends: { served, failed, left }, latency }) => [
            upstream,
            { requests: served + failed + left, errors: failed, latency },
          ]),
      );
    return { prod: describe("prod"), canary: describe("canary") };
  }

  take(): UpstreamWindow[] {
    const ended = this.list();
    this.#tallies = createTallies();
    return ended.map(({ latency, ...rest }) => ({
      ...rest,
      latency: latency.toSparse(),
    }));
  }

  #tallyOf(side: Side, upstream: string): Tally {
    const tallies = this.#tallies[side];
    const known = tallies.get(upstream);
    if (known !== undefined) return known;
    const tally = new Tally();
    tallies.set(upstream, tally);
    return tally;
  }
}

function createTallies(): Record<Side, Map<string, Tally>> {
  return { prod: new Map(), canary: new Map() };
}
