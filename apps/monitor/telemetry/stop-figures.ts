import type { LedgerEvent } from "../../../lib/flag/ledger-event.js";
import type {
  InstanceSummary,
  SideSummary,
  StateReport,
} from "../../../lib/telemetry/monitor-state.js";
import type { Side } from "../../../lib/telemetry/telemetry.js";

interface SideFigures {
  /** In the window before `now`, by Redis's clock. */
  sideFigures: (side: Side, now: number) => SideSummary;
  instanceFigures: (now: number) => InstanceSummary[];
}

type StopFigures = NonNullable<StateReport["stop"]>;

/**
 * Keeps what both sides did before the last stop, because a stopped canary has no requests to compare. A further flip to
 * false, such as one that holds the canary, changes nothing. Undefined after a resume, and for a stop before this monitor's
 * telemetry.
 */
export class StopKeeper {
  readonly #flagName: string;
  readonly #observed: SideFigures;
  #figures: StopFigures | undefined;
  #isStopped = false;

  constructor(flagName: string, observed: SideFigures) {
    this.#flagName = flagName;
    this.#observed = observed;
  }

  get figures(): StopFigures | undefined {
    return this.#figures;
  }

  onEvent({ id, kind, data }: LedgerEvent, atMs: number): void {
    if (kind !== "flip" || data.flag !== this.#flagName) return;
    if (typeof data.value !== "boolean") return;
    const wasStopped = this.#isStopped;
    this.#isStopped = !data.value;
    if (data.value) this.#figures = undefined;
    else if (!wasStopped) this.#figures = this.#read(id, data.rule, atMs);
  }

  #read(event: string, rule: unknown, atMs: number): StopFigures | undefined {
    const prod = this.#observed.sideFigures("prod", atMs);
    const canary = this.#observed.sideFigures("canary", atMs);
    if (canary.requests === 0) return undefined;
    const sides = { prod, canary };
    return {
      event,
      rule: typeof rule === "string" ? rule : null,
      sides,
      instances: this.#observed.instanceFigures(atMs),
    };
  }
}
