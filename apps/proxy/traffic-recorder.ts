import { Bag, type BagItem } from "../../lib/bag.js";
import { LatencyHistogram } from "../../lib/latency-histogram.js";
import type { Side, TrafficWindow } from "../../lib/telemetry.js";

/** Nginx's status for a client that left before its response began. */
export const CLIENT_CLOSED = 499;

/** A request on its way. It counts for the side that the split chose, whoever answers it in the end. */
export interface PendingRequest extends BagItem {
  readonly side: Side;
  /** Monotonic ms. */
  readonly startedAt: number;
}

export type TrafficCounts = Pick<
  TrafficWindow,
  "requests" | "errors" | "status" | "latency" | "arms" | "waiting" | "windowMs"
>;

interface Arm {
  requests: number;
  errors: number;
  status: Map<number, number>;
  latency: LatencyHistogram;
  chosen: number;
  retried: number;
  rescued: number;
}

/** Counts each side's requests over one window after the other; constant memory, whatever the load. */
export class TrafficRecorder {
  readonly #arms: Record<Side, Arm> = {
    prod: createArm(),
    canary: createArm(),
  };
  readonly #pending: Record<Side, Bag<PendingRequest>> = {
    prod: new Bag(),
    canary: new Bag(),
  };
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

  begin(side: Side, now: number): PendingRequest {
    const pending = { side, startedAt: now, slot: -1 };
    this.#arms[side].chosen += 1;
    this.#totals[side] += 1;
    this.#pending[side].add(pending);
    return pending;
  }

  /**
   * The response's head goes out, or the client has left (499). Only the first call for a request counts, and returns true.
   *
   * @param outcome the side's own status, also where prod answered in its place (`rescued`)
   */
  finish(
    pending: PendingRequest,
    outcome: { status: number; rescued: boolean },
    now: number,
  ): boolean {
    if (!this.#pending[pending.side].delete(pending)) return false;
    const arm = this.#arms[pending.side];
    arm.requests += 1;
    arm.status.set(outcome.status, (arm.status.get(outcome.status) ?? 0) + 1);
    arm.latency.record(now - pending.startedAt);
    if (outcome.status >= 500) arm.errors += 1;
    if (!outcome.rescued) return true;
    arm.retried += 1;
    this.#arms.prod.rescued += 1;
    return true;
  }

  /** What was counted since the last window, which ends here. */
  takeWindow(now: number): Record<Side, TrafficCounts> {
    const windowMs = Math.round(now - this.#windowStartedAt);
    this.#windowStartedAt = now;
    return {
      prod: this.#takeArm("prod", windowMs, now),
      canary: this.#takeArm("canary", windowMs, now),
    };
  }

  #takeArm(side: Side, windowMs: number, now: number): TrafficCounts {
    const { requests, errors, status, latency, chosen, retried, rescued } =
      this.#arms[side];
    this.#arms[side] = createArm();
    const waiting = new LatencyHistogram();
    for (const { startedAt } of this.#pending[side])
      waiting.record(now - startedAt);
    return {
      requests,
      errors,
      status: Object.fromEntries(status),
      latency: latency.toSparse(),
      arms: { chosen, retried, rescued },
      waiting: waiting.toSparse(),
      windowMs,
    };
  }
}

function createArm(): Arm {
  const latency = new LatencyHistogram();
  return {
    requests: 0,
    errors: 0,
    status: new Map(),
    latency,
    chosen: 0,
    retried: 0,
    rescued: 0,
  };
}
