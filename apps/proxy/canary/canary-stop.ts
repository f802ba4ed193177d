import type { Ledger } from "../../../lib/flag/ledger.js";
import type { Logger } from "../../../lib/program/log.js";
import type { Breaker, Trip } from "./breaker.js";
import { judgeTrip, lateAfterMs, type TripTime } from "./judge-trip.js";
import type { RecentSum } from "./recent-requests.js";

const JUDGE_MS = 50;
/** Longer than the stalls that a healthy service survives. */
const PATIENCE_MS = 10_000;
const RETRY_MS = 1000;
/** A canary whose trips are withdrawn this often in ten minutes is stopped whatever prod does. */
const MAX_WITHDRAWN = 10;
const WITHDRAWN_MS = 600_000;

interface StopOptions {
  breaker: Breaker;
  recent: RecentSum;
  /** Monotonic ms on the clock that all threads share. */
  now: () => number;
  ledger: Pick<Ledger, "flip" | "record">;
  flagName: string;
  /** The event id of the last flip, as far as is known. */
  readFlip: () => string | null;
  /** Names this proxy as the one that flips; read at the flip. */
  readSource: () => string;
  logger: Logger;
}

/**
 * Decides what follows when a breaker trips, which closes the canary at once. The trip is confirmed if the canary failed
 * alone: the flag is set to false, every proxy follows, and the team gets a mail. It is withdrawn if prod failed alike in the
 * same time, as in a stall of a database that both use: the canary is opened again. While that depends on requests that prod
 * has not answered, the canary stays closed, for ten seconds at most. If Redis is away, the flip is retried; meanwhile the
 * breaker keeps this proxy's canary closed. A retry changes nothing if somebody has flipped the flag since the trip.
 */
export class CanaryStop {
  readonly #options: StopOptions;
  #pending: Trip | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isConfirmed = false;
  /** The canary's failures from before do not count. */
  #openedAt = 0;
  #withdrawnAt: number[] = [];

  constructor(options: StopOptions) {
    this.#options = options;
  }

  /** Whether prod's outcome is awaited. */
  get isJudging(): boolean {
    return this.#pending !== undefined && !this.#isConfirmed;
  }

  /** If several proxies trip at once, the ledger accepts one flip. */
  begin(trip: Trip): void {
    const { logger, recent, now } = this.#options;
    clearTimeout(this.#timer);
    this.#pending = trip;
    this.#isConfirmed = false;
    logger.warn({ trip }, "the breaker closed the canary");
    const at = now();
    const began = recent.beginOfLastFailures("canary", trip.failures, at);
    this.#judge(trip, { since: Math.max(began, this.#openedAt), until: at });
  }

  /** The canary was opened by somebody else: drops what is still pending. */
  cancel(): void {
    this.#pending = undefined;
    this.#openedAt = this.#options.now();
    clearTimeout(this.#timer);
  }

  #judge(trip: Trip, time: { since: number; until: number }): void {
    const { now } = this.#options;
    const figures = this.#read(time);
    const outcome = judgeTrip(figures, now() >= time.until + PATIENCE_MS);
    if (outcome === undefined)
      this.#timer = setTimeout(() => this.#judge(trip, time), JUDGE_MS);
    else if (outcome === "withdrawn" && !this.#isFlapping())
      void this.#withdraw(trip, figures);
    else {
      this.#isConfirmed = true;
      void this.#flip(trip, figures.canary.abandoned);
    }
  }

  #read(time: { since: number; until: number }): TripTime {
    const { recent } = this.#options;
    const canary = recent.read("canary", time);
    const lateMs = lateAfterMs(canary);
    return {
      canary,
      prod: recent.read("prod", { ...time, lateMs }),
      usual: recent.read("prod", { until: time.since - 1, lateMs }),
    };
  }

  #isFlapping(): boolean {
    const oldest = this.#options.now() - WITHDRAWN_MS;
    this.#withdrawnAt = this.#withdrawnAt.filter((at) => at > oldest);
    return this.#withdrawnAt.length >= MAX_WITHDRAWN;
  }

  async #withdraw(trip: Trip, { canary, prod }: TripTime): Promise<void> {
    const { breaker, ledger, readSource, logger, now } = this.#options;
    this.cancel();
    breaker.reset();
    this.#withdrawnAt.push(now());
    const source = readSource();
    const reason = `the canary is open again: ${trip.reason}, but prod failed alike in the same time (${source})`;
    const data = { rule: "breaker", source, canary, prod };
    logger.warn(data, "prod failed alike: the canary is open again");
    try {
      await ledger.record({ kind: "recovery", by: "proxy", reason, data });
    } catch (err) {
      logger.debug({ err }, "not entered in the ledger");
    }
  }

  /** @param supersedes at a retry: the last flip before the trip */
  async #flip(
    trip: Trip,
    abandoned: number,
    supersedes?: string,
  ): Promise<void> {
    const { breaker, ledger, flagName, readSource, logger } = this.#options;
    const { reason, ...figures } = trip;
    const source = readSource();
    const left = abandoned > 0 ? ` (${abandoned} were abandoned)` : "";
    const known = supersedes ?? this.#options.readFlip() ?? "none";
    try {
      const outcome = await ledger.flip(flagName, {
        value: false,
        by: "proxy",
        reason: `${reason}${left} (${source})`,
        data: { rule: "breaker", source, ...figures, abandoned },
        ...(supersedes === undefined ? {} : { supersedes }),
      });
      if (outcome !== "conflict") {
        logger.info({ outcome }, "flag set to false");
        return;
      }
      logger.warn({ trip }, "the flag was flipped since the trip: it stays");
      if (this.#pending !== trip) return;
      this.cancel();
      breaker.reset();
    } catch (err) {
      if (supersedes === undefined)
        logger.warn({ err }, "flag could not be set to false yet");
      if (this.#pending !== trip) return;
      this.#timer = setTimeout(
        () => void this.#flip(trip, abandoned, known),
        RETRY_MS,
      );
    }
  }
}
