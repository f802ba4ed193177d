import type { ApiBackend } from "../../../apps/monitor/api/backend.js";
import type { MonitorState } from "../../../apps/monitor/api/state.js";
import type { PlanQuery } from "../../../apps/monitor/plan/planner.js";
import type { PlanReport } from "../../../lib/telemetry/plan-report.js";
import type { LedgerEvent } from "../../../lib/flag/ledger.js";

type EventsQuery = Parameters<ApiBackend["readEvents"]>[0];
type Change = Parameters<ApiBackend["changeFlag"]>[0];
type FlagChange = Awaited<ReturnType<ApiBackend["changeFlag"]>>;

const EFFECT = {
  proxies: 1,
  silent: [],
  sentence: "1 proxy stopped the canary after 3 ms; no request was in flight",
};

/** Answers from memory and records requests. */
export class FakeApiBackend implements ApiBackend {
  readonly plans: PlanQuery[] = [];
  readonly queries: EventsQuery[] = [];
  readonly changes: Change[] = [];
  state = {} as MonitorState;
  events: LedgerEvent[] = [];
  outcome: FlagChange["outcome"] = "changed";
  /** The error of every read and change. */
  failure: Error | undefined;
  held: { channel: string; error: string }[] = [];
  /** Why it is not ready. */
  reason: string | undefined;

  readState(): Promise<MonitorState> {
    return this.#answer(this.state);
  }

  readPlan(query: PlanQuery): Promise<PlanReport> {
    this.plans.push(query);
    return this.#answer({ minutes: query.minutes } as PlanReport);
  }

  readEvents(query: EventsQuery): Promise<LedgerEvent[]> {
    this.queries.push(query);
    return this.#answer(this.events);
  }

  /** Records a flip from true. */
  changeFlag(change: Change): Promise<FlagChange> {
    this.changes.push(change);
    const value = change.value === "toggle" ? false : change.value;
    return this.#answer({ value, outcome: this.outcome, effect: EFFECT });
  }

  changeRollout(): ReturnType<ApiBackend["changeRollout"]> {
    return this.#answer({ sentence: "done", effect: EFFECT });
  }

  readRollout(): ReturnType<ApiBackend["readRollout"]> {
    return this.#answer({ current: null, problem: null, history: [] });
  }

  startRelease(): Promise<void> {
    return this.#answer(undefined);
  }

  readVerdict(): Promise<undefined> {
    return this.#answer(undefined);
  }

  readMoment(): Promise<undefined> {
    return this.#answer(undefined);
  }

  readRolloutMoment(): Promise<undefined> {
    return this.#answer(undefined);
  }

  isUsed(): Promise<boolean> {
    return this.#answer(false);
  }

  follow(): ReturnType<ApiBackend["follow"]> {
    return this.#answer(EFFECT);
  }

  sendTestMail(): ReturnType<ApiBackend["sendTestMail"]> {
    return this.#answer({ id: "0123456789abcdef", transport: "log" });
  }

  heldChannels(): { channel: string; error: string }[] {
    return this.held;
  }

  obstacle(): string | undefined {
    return this.reason;
  }

  #answer<T>(value: T): Promise<T> {
    return this.failure === undefined
      ? Promise.resolve(value)
      : Promise.reject(this.failure);
  }
}
