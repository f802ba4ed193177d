import { setTimeout as sleep } from "node:timers/promises";
import type { Redis } from "ioredis";
import type { Keys } from "../../../lib/redis/keys.js";
import type { Flip, Ledger } from "../../../lib/flag/ledger.js";
import type { Logger } from "../../../lib/program/log.js";
import { describeRedisError } from "../../../lib/redis/redis.js";
import type { Side } from "../../../lib/telemetry/telemetry.js";
import { describeTry, formatSpan } from "../../../lib/wording/units.js";
import { reconcileAlerts } from "./reconcile-alerts.js";
import { createAlert, type Alert, type Senses } from "../alert/alerts.js";
import type { MonitorConfig } from "../config.js";
import {
  FencedError,
  refuseFenced,
  type Leadership,
} from "../leader/leadership.js";
import { readFlagRecord, type FlagRecord } from "./flag-record.js";
import {
  describeLatency,
  judgeSide,
  roundUp,
  type LatencyJudgement,
} from "./judge-latency.js";
import {
  afterBreach,
  afterRecovery,
  countTries,
  decideRecovery,
  type RecoveryDecision,
} from "./recovery.js";
import type { Observations } from "../telemetry/observations.js";
import { describeWorse } from "../verdict/describe-worse.js";
import type { Verdict } from "../verdict/verdict.js";
import type { VerdictKeeper } from "./verdict-keeper.js";

/** The state of this monitor. */
export interface Outlook {
  leadership: Pick<Leadership, "fence">;
  /** Redis's clock; undefined before it has answered once. */
  redisNow: () => number | undefined;
  observations: Observations;
  verdicts: VerdictKeeper;
  config: MonitorConfig;
}

/** The state that all monitors share. */
export interface Store {
  redis: Redis;
  keys: Keys;
  ledger: Ledger;
}

export interface ControllerContext extends Outlook, Store {
  leadership: Pick<Leadership, "fence" | "stepDown" | "isDue" | "hold">;
  logger: Logger;
}

type Judgements = Record<Side, LatencyJudgement>;

interface Moment {
  fence: string;
  now: number;
}

/** The reason to stop the canary. */
interface Stop {
  rule: "latency" | "verdict";
  reason: string;
  data: Record<string, unknown>;
}

/** Rounds begin at most ten times a second: each one sums up the windows of all proxies. */
const ROUND_INTERVAL_MS = 100;
const TRIM_INTERVAL_MS = 60_000;
/** Slightly more than the charts show. */
const KEEP_TELEMETRY_MS = 1_200_000;

/**
 * If telemetry cannot be read or understood, or Redis refuses a write, nothing changes and the lease is not renewed: canary
 * traffic ends. A monitor that has lost the lease unnoticed changes nothing either, because every write carries the fence.
 *
 * While this monitor leads, it flips the flag on a breach, resumes the canary after the cool-down, raises and clears
 * alerts, adds to the ledger the values that people set directly in Redis, and trims the telemetry.
 */
export class Controller {
  readonly #context: ControllerContext;
  readonly #intervalMs: number;
  #running: Promise<void> | undefined;
  #isDue = false;
  readonly #closing = new AbortController();
  #obstacle: string | undefined;
  #trimmedAt = -Infinity;
  /** The last value that was stored, in case Redis loses it. */
  #lastValue: boolean | undefined;

  constructor(context: ControllerContext, intervalMs = ROUND_INTERVAL_MS) {
    this.#context = context;
    this.#intervalMs = intervalMs;
  }

  /** Why this monitor cannot judge, and does not lead. */
  get obstacle(): string | undefined {
    return this.#obstacle;
  }

  /** Starts a round, or repeats the current one once it is done. Resolves after the last round. */
  nudge(): Promise<void> {
    this.#isDue = true;
    this.#running ??= this.#run().finally(() => (this.#running = undefined));
    return this.#running;
  }

  /** Starts no further round, and waits for the current one. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing;
    while (this.#isDue && !signal.aborted) {
      this.#isDue = false;
      try {
        await this.#round();
      } catch (err) {
        if (err instanceof FencedError)
          this.#context.leadership.stepDown(err.fence);
        else this.#note(describeRedisError(err));
      }
      // Ends early when aborted.
      await sleep(this.#intervalMs, undefined, { signal }).catch(() => null);
    }
  }

  async #round(): Promise<void> {
    const { redis, keys, leadership, observations, config } = this.#context;
    const now = this.#context.redisNow();
    if (now === undefined) return;
    const flag = await readFlagRecord(redis, keys, config.flagName);
    if (flag.raw !== null) this.#lastValue = flag.value;
    const { fence } = leadership;
    if (fence !== undefined) await this.#lead(flag, { fence, now });
    const blindness = observations.findBlindness(now);
    if (blindness !== undefined) this.#note(blindness);
    else if (leadership.isDue && observations.takeNews()) {
      await leadership.hold();
      this.#note();
    }
  }

  /** Reports each obstacle once, and its end. */
  #note(obstacle?: string): void {
    if (obstacle === this.#obstacle) return;
    this.#obstacle = obstacle;
    const { logger } = this.#context;
    const data = { reason: obstacle };
    if (obstacle === undefined) logger.info({}, "judges again");
    else logger.warn(data, "cannot judge: the lease is not held");
  }

  async #lead(flag: FlagRecord, at: Moment): Promise<void> {
    const { observations, verdicts } = this.#context;
    const { fence, now } = at;
    this.#trim(now);
    const lost = flag.flip === null ? this.#lastValue : flag.recordedValue;
    if (flag.raw === null && lost !== undefined) {
      await this.#restore(flag, lost, fence);
      this.#isDue = true;
      return;
    }
    if (flag.value !== flag.recordedValue) {
      await this.#adopt(flag, fence);
      this.#isDue = true;
      return;
    }
    if (!observations.isCurrent) return;
    const judgements = judgeSides(this.#context, flag, now);
    // The threshold comes first: nothing about the verdict can keep it from acting.
    const breach = flag.value ? this.#findBreach(judgements, now) : undefined;
    const stop = breach ?? this.#findWorse(await verdicts.look(flag, at), now);
    if (flag.value && stop) {
      await this.#stop(flag, stop, at);
      return;
    }
    await this.#recoverWhenDue(flag, judgements, at);
    await this.#reconcileAlerts(flag, judgements, fence);
  }

  /** By Redis's clock: writers' clocks may be wrong. */
  #trim(now: number): void {
    if (now - this.#trimmedAt < TRIM_INTERVAL_MS) return;
    this.#trimmedAt = now;
    const { redis, keys, logger } = this.#context;
    const oldest = Math.floor(now - KEEP_TELEMETRY_MS);
    redis.xtrim(keys.telemetry, "MINID", "~", oldest).catch((err: unknown) => {
      logger.debug({ err }, "telemetry was not trimmed");
    });
  }

  async #adopt(flag: FlagRecord, fence: string): Promise<void> {
    const { ledger, config } = this.#context;
    const stored = JSON.stringify(shorten(flag.raw ?? ""));
    const meaning = flag.garbled
      ? ", which is neither true nor false and counts as false"
      : "";
    const reason = `the flag was set to ${stored} directly in Redis${meaning}`;
    const outcome = await ledger.adopt(config.flagName, {
      value: flag.value,
      reason,
      fence,
    });
    refuseFenced(outcome, fence);
  }

  async #restore(
    flag: FlagRecord,
    value: boolean,
    fence: string,
  ): Promise<void> {
    const { ledger, config } = this.#context;
    const what = flag.flip === null ? "the flag and its last flip" : "the flag";
    const reason = `Redis has lost ${what}: its last value was written back`;
    const known = { value, reason, fence };
    refuseFenced(await ledger.restore(config.flagName, known), fence);
  }

  /** Undefined unless a side is in breach of the threshold; the canary's breach comes first. */
  #findBreach(judgements: Judgements, now: number): Stop | undefined {
    const { sides } = this.#context.config.latency;
    const side = (["canary", "prod"] as const).find(
      (candidate) =>
        sides.includes(candidate) && judgements[candidate].isBreach,
    );
    if (side === undefined) return undefined;
    const { figures } = judgements[side];
    return {
      rule: "latency",
      reason: describeLatency(side, figures),
      data: {
        side,
        ...figures,
        canaryBeforeMs: this.#canaryBeforeMs(figures.quantile, now),
        canaryLatencyMs: judgements.canary.figures.latencyMs,
        prodLatencyMs: judgements.prod.figures.latencyMs,
      },
    };
  }

  /** Undefined unless the canary is worse and VERDICT is on. */
  #findWorse(verdict: Verdict | undefined, now: number): Stop | undefined {
    const { config, verdicts, observations } = this.#context;
    if (verdict?.outcome !== "worse" || config.verdict.mode !== "on")
      return undefined;
    return {
      rule: "verdict",
      reason: describeWorse(verdict),
      data: {
        side: "canary",
        evidence: Math.round(verdict.evidence * 100) / 100,
        evidenceToStop: Math.round(verdict.evidenceToStop * 100) / 100,
        canaryRequests: verdict.canary.requests,
        prodRequests: verdict.prod.requests,
        quantile: 0.95,
        canaryBeforeMs: this.#canaryBeforeMs(0.95, now),
        canaryLatencyMs: observations.sideFigures("canary", now).p95Ms,
        prodLatencyMs: observations.sideFigures("prod", now).p95Ms,
        verdict: verdicts.toRecord(),
      },
    };
  }

  /** The canary's latency in the window before the current one; null without requests. */
  #canaryBeforeMs(quantile: number, now: number): number | null {
    const { latency } = this.#context.observations
      .side("canary")
      .figuresBefore(now);
    return roundUp(latency.quantile(quantile));
  }

  async #stop(
    flag: FlagRecord,
    { rule, reason, data }: Stop,
    at: Moment,
  ): Promise<void> {
    const { config, observations } = this.#context;
    const versions = observations.canaryVersions();
    const stop = { now: at.now, rule, versions };
    const recovery = afterBreach(flag.recovery, config.recovery, stop);
    const { latched, cooldownMs } = recovery;
    const nextTryAt =
      config.recovery.mode === "auto" && !latched && rule === "latency"
        ? new Date(at.now + cooldownMs).toISOString()
        : null;
    await this.#flip({
      value: false,
      by: "monitor",
      reason,
      data: { rule, ...data, nextTryAt, latched },
      cause: "breach",
      recovery: JSON.stringify(recovery),
      fence: at.fence,
    });
  }

  async #recoverWhenDue(
    flag: FlagRecord,
    judgements: Judgements,
    at: Moment,
  ): Promise<void> {
    if (flag.recovery === null) {
      await this.#noteBreaker(flag, at);
      return;
    }
    const decision = decideNow(this.#context, flag, judgements.prod);
    if (!decision.isDue) return;
    const { cooldownMs } = flag.recovery;
    const versions = this.#context.observations.canaryVersions();
    const attempt = countTries(flag.recovery, versions, at.now);
    const what = describeTry(attempt);
    await this.#flip({
      value: true,
      by: "monitor",
      reason: `the canary resumes for ${what}: its probes were healthy through a cool-down of ${formatSpan(cooldownMs)}`,
      data: { rule: "recovery", cooldownMs, attempt },
      cause: "recovery",
      recovery: JSON.stringify(afterRecovery(flag.recovery, at.now)),
      fence: at.fence,
      // A person may have flipped the flag since it was read.
      supersedes: flag.flip ?? "",
    });
  }

  /** Notes the versions that a proxy's breaker has stopped, so that another one is recognised. */
  async #noteBreaker(flag: FlagRecord, { fence, now }: Moment): Promise<void> {
    const { ledger, config, observations } = this.#context;
    if (flag.value || flag.by !== "proxy" || flag.flip === null) return;
    const versions = observations.canaryVersions();
    const stop = { now, rule: "breaker", versions } as const;
    const recovery = afterBreach(null, config.recovery, stop);
    const outcome = await ledger.noteRecovery(config.flagName, {
      recovery: JSON.stringify(recovery),
      fence,
      flip: flag.flip,
    });
    refuseFenced(outcome, fence);
  }

  async #flip(flip: Flip & { fence: string }): Promise<void> {
    const { ledger, config, logger } = this.#context;
    const outcome = await ledger.flip(config.flagName, flip);
    refuseFenced(outcome, flip.fence);
    if (outcome === "changed")
      logger.warn({ flag: config.flagName, value: flip.value }, flip.reason);
  }

  async #reconcileAlerts(
    flag: FlagRecord,
    judgements: Judgements,
    fence: string,
  ): Promise<void> {
    const { observations, verdicts, config } = this.#context;
    const alerts = [
      ...observations.alerts(),
      ...flagAlerts(flag, config.flagName),
      ...(flag.value && config.latency.sides.includes("prod")
        ? []
        : prodAlerts(judgements.prod, flag.value)),
      ...verdictAlerts(this.#context),
    ];
    const senses: Senses = {
      hears: (source) => observations.hears(source),
      isUnwell: (source) => observations.isUnwell(source),
      isJudged: (side) => judgements[side].isKnown,
      isCompared: () => (verdicts.verdict?.outcome ?? null) !== null,
    };
    await reconcileAlerts(this.#context, { alerts, senses, fence });
  }
}

function flagAlerts(flag: FlagRecord, name: string): Alert[] {
  if (!flag.garbled) return [];
  const raw = shorten(flag.raw ?? "");
  const reason = `the flag ${name} holds ${JSON.stringify(raw)}: it counts as false; set it to true or false`;
  return [createAlert("flag-value", { reason, data: { raw } })];
}

function prodAlerts(
  { isBreach, figures }: LatencyJudgement,
  isFlagOn: boolean,
): Alert[] {
  if (!isBreach) return [];
  const side = "prod";
  const although = isFlagOn ? "" : " although the flag is off";
  const reason = `prod is slow${although}: ${describeLatency(side, figures)}`;
  const data = { side, ...figures };
  return [createAlert("latency", { of: side, reason, data })];
}

/** The alerts of verdicts that do not stop the canary. */
function verdictAlerts({ verdicts, config }: Outlook): Alert[] {
  const { verdict } = verdicts;
  if (verdict?.outcome === "worse" && config.verdict.mode === "observe") {
    const data = { verdict: verdicts.toRecord() };
    const reason = describeWorse(verdict);
    return [createAlert("verdict:worse", { reason, data })];
  }
  if (verdict?.outcome !== "split broken") return [];
  const reason =
    "the split is broken: requests are not split in its ratio, so the sides are not compared";
  return [
    createAlert("verdict:split", { reason, data: { ...verdict.canary } }),
  ];
}

function judgeSides(
  { observations, config }: Outlook,
  flag: FlagRecord,
  now: number,
): Judgements {
  const at = { now, sinceMs: flag.flippedAtMs };
  const judge = (side: Side) =>
    judgeSide(observations.side(side), config.latency, at);
  return { prod: judge("prod"), canary: judge("canary") };
}

/** The recovery decision at present, also for `GET /api/state`. */
export function decideNow(
  context: Outlook,
  flag: FlagRecord,
  prod: LatencyJudgement,
): RecoveryDecision {
  const now = context.redisNow() ?? 0;
  const facts = {
    // A person wrote a garbled value, although it changes nothing.
    isOwnFlip:
      !flag.value &&
      !flag.garbled &&
      (flag.by === "monitor" || flag.by === "proxy") &&
      !flag.recordedValue,
    state: flag.recovery,
    lastUnhealthyAt: context.observations.lastUnhealthyAt("canary"),
    unwell: context.observations.findUnwell("canary"),
    isProdInBreach:
      prod.isBreach && context.config.latency.sides.includes("prod"),
    versions: context.observations.canaryVersions(),
    releasedAt: context.verdicts.releasedAt,
  };
  return decideRecovery(facts, context.config.recovery, now);
}

/** Anyone may have written the value. */
function shorten(raw: string): string {
  return raw.slice(0, 100);
}
