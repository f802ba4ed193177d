import { setTimeout as sleep } from "node:timers/promises";
import type { Flip } from "../../../lib/flag/ledger.js";
import type { Logger } from "../../../lib/program/log.js";
import { describeRedisError } from "../../../lib/redis/redis.js";
import { describeTry, formatSpan } from "../../../lib/wording/units.js";
import {
  FencedError,
  refuseFenced,
  type Leadership,
} from "../leader/leadership.js";
import { findBreach, findWorse, reactTo, type Stop } from "./find-stop.js";
import { readFlagRecord, shorten, type FlagRecord } from "./flag-record.js";
import {
  decideNow,
  findMixture,
  rolloutUnderWay,
  judgeSides,
  type Judgements,
  type Outlook,
  type Store,
} from "./outlook.js";
import { findAlerts, reconcileAlerts, senseEnds } from "./reconcile-alerts.js";
import { afterBreach, afterRecovery, countTries } from "./recovery.js";

export interface ControllerContext extends Outlook, Store {
  leadership: Pick<Leadership, "fence" | "stepDown" | "isDue" | "hold">;
  logger: Logger;
}

interface Moment {
  fence: string;
  now: number;
}

/** Rounds begin at most ten times a second: each one sums up the windows of all proxies. */
const ROUND_INTERVAL_MS = 100;
/** Leaves a person who deleted the flag the time to write it. */
const RESTORE_DELAY_MS = 4000;
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
  #lostAt: number | undefined;
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

  /** Notes a stored value, which may be lost before the next round. */
  remember({ raw, value }: { raw: string | null; value: boolean }): void {
    if (raw !== null) this.#lastValue = value;
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
        else this.#note(describeRedisError(err, this.#context.redis));
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
    this.remember(flag);
    this.#context.conductor.remember(flag);
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
    this.#trim(at.now);
    if (!(await this.#isSettled(flag, at))) return;
    if (!this.#context.observations.isCurrent) return;
    const judgements = judgeSides(this.#context, flag, at.now);
    const stop = await this.#findStop(flag, judgements, at);
    const reaction = stop && reactTo(stop, flag);
    if (stop && reaction === "abort") {
      await this.#stop(flag, stop, at);
      return;
    }
    const { conductor } = this.#context;
    const hasPaused =
      stop && reaction === "pause" && (await conductor.pause(flag, stop, at));
    if (!hasPaused && (await conductor.conduct(flag, at))) this.#isDue = true;
    await this.#recoverWhenDue(flag, judgements, at);
    await reconcileAlerts(this.#context, {
      alerts: findAlerts(this.#context, flag, {
        ...{ judgements, now: at.now },
        unheeded: reaction === "notify" ? stop : undefined,
      }),
      senses: senseEnds(this.#context, judgements),
      fence: at.fence,
    });
  }

  /** Whether the flag and its last flip agree. If they do not, it makes them. */
  async #isSettled(flag: FlagRecord, { fence, now }: Moment): Promise<boolean> {
    if (await this.#context.conductor.restore(flag, { fence, now })) {
      this.#isDue = true;
      return false;
    }
    const lost = this.#findLost(flag);
    if (flag.raw === null && lost !== undefined) {
      this.#lostAt ??= now;
      // The proxies and apps that knew a false keep it meanwhile. A true is needed at once, to go on judging.
      if (!lost && now - this.#lostAt < RESTORE_DELAY_MS) return false;
      await this.#restore(flag, lost, fence);
      this.#isDue = true;
      return false;
    }
    this.#lostAt = undefined;
    if (flag.value !== flag.recordedValue) {
      await this.#adopt(flag, fence);
      this.#isDue = true;
      return false;
    }
    return true;
  }

  /** The threshold comes first: nothing about the verdict can keep it from acting. */
  async #findStop(
    flag: FlagRecord,
    judgements: Judgements,
    at: Moment,
  ): Promise<Stop | undefined> {
    const breach = flag.value
      ? findBreach(this.#context, judgements, at.now)
      : undefined;
    if (breach !== undefined) return breach;
    await this.#context.verdicts.look(flag, at, findMixture(flag));
    return flag.value ? findWorse(this.#context) : undefined;
  }

  /** The value that Redis had; false if the last that was seen and the last flip differ. */
  #findLost({ flip, recordedValue }: FlagRecord): boolean | undefined {
    if (flip === null) return this.#lastValue;
    return recordedValue && this.#lastValue !== false;
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

  async #stop(
    flag: FlagRecord,
    { rule, brief, reason, data }: Stop,
    at: Moment,
  ): Promise<void> {
    const { config, observations } = this.#context;
    const versions = observations.versions("canary");
    const stop = { now: at.now, rule, versions };
    const recovery = afterBreach(flag.recovery, config.recovery, stop);
    const { latched, cooldownMs } = recovery;
    const nextTryAt =
      config.recovery.mode === "auto" &&
      !latched &&
      rule === "latency" &&
      rolloutUnderWay(flag) === undefined
        ? new Date(at.now + cooldownMs).toISOString()
        : null;
    await this.#flip({
      value: false,
      by: "monitor",
      reason,
      data: {
        ...this.#nameReleases(),
        ...{ rule, brief, ...data, nextTryAt, latched },
      },
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
    const versions = this.#context.observations.versions("canary");
    const attempt = countTries(flag.recovery, versions, at.now);
    const what = describeTry(attempt);
    await this.#flip({
      value: true,
      by: "monitor",
      reason: `the canary resumes for ${what}: its probes were healthy through a cool-down of ${formatSpan(cooldownMs)}`,
      data: {
        ...this.#nameReleases(),
        ...{ rule: "recovery", cooldownMs, attempt },
      },
      cause: "recovery",
      recovery: JSON.stringify(afterRecovery(flag.recovery, at.now)),
      fence: at.fence,
      // A person may have flipped the flag since it was read.
      supersedes: flag.flip ?? "",
    });
  }

  #nameReleases(): { version?: string; prodVersion?: string } {
    const { observations } = this.#context;
    const canary = observations.versions("canary");
    const prod = observations.versions("prod");
    return {
      ...(canary.length > 0 && { version: canary.join(", ") }),
      ...(prod.length > 0 && { prodVersion: prod.join(", ") }),
    };
  }

  /** Notes the versions that a proxy's breaker has stopped, so that another one is recognised. */
  async #noteBreaker(flag: FlagRecord, { fence, now }: Moment): Promise<void> {
    const { ledger, config, observations } = this.#context;
    if (flag.value || flag.by !== "proxy" || flag.flip === null) return;
    const versions = observations.versions("canary");
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
}
