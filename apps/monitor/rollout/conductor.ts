import { packedRelease } from "../../../lib/program/release.js";
import {
  isOver,
  type Reading,
  type Rollout,
} from "../../../lib/rollout/rollout.js";
import { RolloutStore } from "../../../lib/rollout/rollout-store.js";
import { decide } from "../../../lib/rollout/transitions.js";
import type { Side, Telemetry } from "../../../lib/telemetry/telemetry.js";
import { formatCount, formatPercent } from "../../../lib/wording/units.js";
import { createAlert, type Alert } from "../alert/alerts.js";
import type { FlagRecord } from "../control/flag-record.js";
import type { Stop } from "../control/find-stop.js";
import type { Outlook, Store } from "../control/outlook.js";
import { refuseFenced } from "../leader/leadership.js";
import type { StreamListener } from "../telemetry/stream-reader.js";
import { decideStep, type ProdHost, type Step } from "./decide-step.js";
import { StepTraffic } from "./step-traffic.js";

type Context = Omit<Store, "ledger"> &
  Pick<Outlook, "observations" | "verdicts" | "config">;

interface Moment {
  fence: string;
  now: number;
}

/**
 * Moves the rollout from step to step while this monitor leads. All that decides is in Redis: a monitor that takes over goes on where
 * the last one was, and a change that two of them decide is made once.
 */
export class Conductor implements StreamListener {
  readonly #context: Context;
  readonly #store: RolloutStore;
  readonly #traffic = new StepTraffic();
  /** The last known release by agent: an app that is gone may not tell its own. */
  readonly #versions = new Map<string, string>();
  /** In case Redis loses it. */
  #last: Rollout | undefined;

  constructor(context: Context) {
    this.#context = context;
    const { redis, keys, config } = context;
    this.#store = new RolloutStore(redis, keys, config.flagName);
  }

  onTelemetry(telemetry: Telemetry, atMs: number): void {
    this.#traffic.onTelemetry(telemetry, atMs);
    if (telemetry.kind === "host" && telemetry.data.version !== null)
      this.#versions.set(telemetry.source, telemetry.data.version);
  }

  /** Notes the stored rollout, which may be lost before the next round. */
  remember({ rollout: { rollout } }: FlagRecord): void {
    this.#last = rollout ?? this.#last;
  }

  /** Writes back a rollout that Redis has lost together with the flag, which must not come back without its weight. */
  async restore(flag: FlagRecord, { fence }: Moment): Promise<boolean> {
    const { rollout, raw } = flag;
    const last = this.#last;
    if (raw !== null || rollout.position.id !== "" || last === undefined)
      return false;
    const { id, phase, step, weight, candidate } = last;
    const outcome = await this.#store.apply(
      {
        ...{ from: rollout.position, isNew: true, set: last, notify: false },
        weight: phase === "Healthy" ? null : weight,
        event: { rollout: id, phase, step, weight, candidate },
      },
      {
        ...{ by: "monitor", fence },
        reason: `Redis has lost rollout ${id}: it was written back as it was`,
      },
    );
    refuseFenced(outcome, fence);
    return true;
  }

  /** Takes the next step when it is due. @returns whether anything has changed @throws FencedError; and when Redis is away */
  async conduct(flag: FlagRecord, at: Moment): Promise<boolean> {
    const { rollout } = flag.rollout;
    if (rollout === undefined) return false;
    if (
      rollout.phase !== "Healthy" &&
      flag.rawWeight !== String(rollout.weight)
    )
      return await this.#repair(flag, rollout, at);
    if (isOver(rollout)) return false;
    if (!flag.value)
      return await this.#ask(flag.rollout, at, {
        request: { verb: "abort" },
        reason: "the flag is off",
      });
    const step = decideStep(rollout, this.#readFacts(rollout), at.now);
    return step !== undefined && (await this.#ask(flag.rollout, at, step));
  }

  /** Pauses the rollout instead of a stop. @returns false if it does not progress */
  async pause(
    flag: FlagRecord,
    { reason, data, rule, brief }: Stop,
    at: Moment,
  ): Promise<boolean> {
    return await this.#ask(flag.rollout, at, {
      request: { verb: "pause", notify: true },
      reason,
      data: { ...data, rule, brief },
    });
  }

  /** What people should know while it lasts. */
  alerts({ rollout: { rollout, problem } }: FlagRecord, now: number): Alert[] {
    if (problem !== undefined)
      return [createAlert("rollout:unreadable", { reason: problem, data: {} })];
    if (rollout === undefined || isOver(rollout)) return [];
    return [
      this.#findHeld(rollout, now),
      this.#findHarm(rollout),
      this.#findCap(rollout),
    ].filter((alert) => alert !== undefined);
  }

  #readFacts(rollout: Rollout) {
    const { observations, verdicts, config } = this.#context;
    const proxies = observations
      .proxies()
      .filter(({ source }) => observations.hears(source));
    const { requests, harm } = this.#traffic.count(
      rollout,
      config.verdict.tolerance,
    );
    return {
      requests,
      // A monitor that takes over may not know the first of it.
      harm: Math.max(rollout.harm, harm),
      isDealing: proxies.some(({ window }) => window.canaryOpen !== false),
      canaryVersions: observations.versions("canary").map(packedRelease),
      prod: this.#listProd(),
      verdict: config.verdict.mode === "on" ? verdicts.verdict : undefined,
    };
  }

  #listProd(): ProdHost[] {
    const { observations } = this.#context;
    const hosts = observations.hosts().filter(isOn("prod"));
    return hosts.map(({ source, sample, spell }) => ({
      host: sample.host,
      version: observations.hears(source)
        ? packedRelease(this.#versions.get(source) ?? "")
        : "",
      unwell: spell && {
        because: sample.up ? "fails its health probe" : "is gone",
        sinceMs: spell.since,
      },
    }));
  }

  #listHosts(side: Side) {
    const { observations } = this.#context;
    return observations
      .hosts()
      .filter(isOn(side))
      .filter(({ source }) => observations.hears(source));
  }

  async #repair(
    flag: FlagRecord,
    { id, phase, step, weight }: Rollout,
    { fence }: Moment,
  ): Promise<boolean> {
    const found =
      flag.rawWeight === null
        ? "was lost"
        : `was set to ${JSON.stringify(flag.rawWeight.slice(0, 100))}`;
    const reason = `the weight ${found} in Redis: rollout ${id} has set it to ${formatPercent(weight)} again`;
    const outcome = await this.#store.apply(
      {
        from: flag.rollout.position,
        ...{ set: {}, weight, notify: false },
        event: { rollout: id, phase, step, weight },
      },
      { by: "monitor", reason, fence },
    );
    refuseFenced(outcome, fence);
    return true;
  }

  async #ask(
    reading: Reading,
    { fence, now }: Moment,
    { request, reason, data }: Step,
  ): Promise<boolean> {
    const decision = decide(reading, request, Math.round(now));
    if ("refusal" in decision) return false;
    const outcome = await this.#store.apply(decision.change, {
      ...{ by: "monitor", reason: reason ?? decision.sentence, fence },
      ...(data && { data }),
    });
    refuseFenced(outcome, fence);
    return true;
  }

  #findHeld(
    { id, heldBy, heldSince, spec }: Rollout,
    now: number,
  ): Alert | undefined {
    const { afterMs } = spec.analysis.insufficient;
    if (heldSince === null || now - heldSince < afterMs) return undefined;
    const sinceAt = new Date(heldSince).toISOString();
    const reason = `rollout ${id} is held (${heldBy ?? ""}) since ${sinceAt}: \`serin rollout status\` says by what`;
    return createAlert("rollout:held", { reason, data: { rollout: id } });
  }

  #findHarm(rollout: Rollout): Alert | undefined {
    const { requests, on } = rollout.spec.analysis.harm;
    if (on !== "notify" || rollout.phase === "Promoting") return undefined;
    const { harm } = this.#readFacts(rollout);
    if (harm <= requests) return undefined;
    const reason = `rollout ${rollout.id} has failed or slowed ${formatCount(harm)} requests more than prod would have: its budget is ${formatCount(requests)}`;
    const data = { rollout: rollout.id, harm };
    return createAlert("rollout:harm", { reason, data });
  }

  /** The canary hosts cannot take more than their share of all hosts. */
  #findCap({ id, spec }: Rollout): Alert | undefined {
    const canary = this.#listHosts("canary").length;
    const prod = this.#listHosts("prod").length;
    if (canary === 0 || prod === 0) return undefined;
    const cap = (100 * canary) / (canary + prod);
    const most = Math.max(
      ...spec.rollout.steps.map((step) => ("pause" in step ? 0 : step.weight)),
    );
    if (most <= cap) return undefined;
    const share = formatPercent(Math.floor(cap));
    const reason = `rollout ${id} goes up to ${formatPercent(most)}, but the canary's apps are ${canary} of ${canary + prod}: above ${share} they get more load each than prod's`;
    const data = { rollout: id, weight: most };
    return createAlert("rollout:capacity", { reason, data });
  }
}

const isOn =
  (side: Side) =>
  ({ sample }: { sample: { target: Side } }) =>
    sample.target === side;
