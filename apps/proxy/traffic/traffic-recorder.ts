import { Bag, type BagItem } from "../../../lib/bag.js";
import { LatencyHistogram } from "../../../lib/telemetry/latency-histogram.js";
import type { Side, TrafficWindow } from "../../../lib/telemetry/telemetry.js";
import { RouteBook, type Ended } from "./route-book.js";

/** Nginx's status for a client that left before its response began. */
export const CLIENT_CLOSED = 499;

/** A request on its way. It counts for the side that the split chose, whoever answers it in the end. */
export interface PendingRequest extends BagItem {
  readonly side: Side;
  /** Monotonic ms. */
  readonly startedAt: number;
  /** By the split, and not because the canary was closed. */
  readonly isDealt: boolean;
  readonly asked: Asked;
}

/** What a request asks for, as far as its route goes. */
export interface Asked {
  method?: string | undefined;
  url?: string | undefined;
}

export type TrafficCounts = Pick<
  TrafficWindow,
  | "requests"
  | "errors"
  | "status"
  | "latency"
  | "arms"
  | "waiting"
  | "windowMs"
  | "dealt"
  | "routes"
  | "routesAlone"
>;

interface Arm {
  requests: number;
  errors: number;
  status: Map<number, number>;
  latency: LatencyHistogram;
  chosen: number;
  retried: number;
  rescued: number;
  dealt: number;
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
  readonly #routes = new RouteBook();
  readonly #isCanaryOpen: () => boolean;
  #windowStartedAt: number;

  /**
   * @param now monotonic ms, here and below
   * @param isCanaryOpen whether a request that begins is dealt by the split
   */
  constructor(now: number, isCanaryOpen = () => true) {
    this.#windowStartedAt = now;
    this.#isCanaryOpen = isCanaryOpen;
  }

  /** Requests that the split gave to each side since the start. */
  get totals(): Readonly<Record<Side, number>> {
    return this.#totals;
  }

  begin(side: Side, now: number, asked: Asked = {}): PendingRequest {
    const isDealt = side === "canary" || this.#isCanaryOpen();
    const { method, url } = asked;
    const pending = {
      side,
      startedAt: now,
      isDealt,
      asked: { method, url },
      slot: -1,
    };
    this.#arms[side].chosen += 1;
    if (isDealt) this.#arms[side].dealt += 1;
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
    const latencyMs = now - pending.startedAt;
    const { side, isDealt, asked } = pending;
    const ended: Ended = { ...outcome, side, isDealt, latencyMs };
    this.#routes.count(asked, ended);
    if (!outcome.rescued) return true;
    arm.retried += 1;
    this.#arms.prod.rescued += 1;
    return true;
  }

  /** What was counted since the last window, which goes on. */
  peekWindow(): Record<Side, Pick<TrafficCounts, "status" | "latency">> {
    const peek = ({ status, latency }: Arm) => ({
      status: Object.fromEntries(status),
      latency: latency.toSparse(),
    });
    return { prod: peek(this.#arms.prod), canary: peek(this.#arms.canary) };
  }

  /** What was counted since the last window, which ends here. */
  takeWindow(now: number): Record<Side, TrafficCounts> {
    const windowMs = Math.round(now - this.#windowStartedAt);
    this.#windowStartedAt = now;
    const routes = this.#routes.take();
    return {
      prod: {
        ...this.#takeArm("prod", windowMs, now),
        routes: routes.prod,
        routesAlone: routes.alone,
      },
      canary: {
        ...this.#takeArm("canary", windowMs, now),
        routes: routes.canary,
      },
    };
  }

  #takeArm(side: Side, windowMs: number, now: number): TrafficCounts {
    const arm = this.#arms[side];
    const { requests, errors, status, latency } = arm;
    const { chosen, retried, rescued, dealt } = arm;
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
      dealt,
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
    dealt: 0,
  };
}
