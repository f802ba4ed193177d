import type { Redis } from "ioredis";
import type { Keys } from "../redis/keys.js";
import type { Logger } from "../program/log.js";
import { execAll } from "../redis/redis.js";
import { parseFlag } from "./flag-value.js";
import { readLease } from "./lease-reading.js";
import { parseWeight } from "../telemetry/split-ratio.js";
import { TrackedReader } from "./tracked-reader.js";

const INFO_FIELDS = ["value", "event", "by", "at"] as const;

/** The last flip, as stored beside the flag. */
type FlagInfo = Record<(typeof INFO_FIELDS)[number], string | null>;

const NO_INFO: FlagInfo = { value: null, event: null, by: null, at: null };

const NO_WEIGHT = { weight: null, weightProblem: null };
/** The characters of a malformed weight that are shown. */
const MAX_SHOWN = 40;

export interface FlagReading {
  name: string;
  value: boolean;
  /** As stored; null if absent, or lost. */
  raw: string | null;
  /** Whether it is known to have had a value at any time. */
  wasSet: boolean;
  /** Monotonic ms (`performance.now()`) at which the confirming read was sent. */
  confirmedAt: number;
  /** The canary's share in percent by a rollout; null if none gives one, or it is not read. */
  weight: number | null;
  /** Why the stored weight counts as 0; null if it is valid. */
  weightProblem: string | null;
  /** The id of the current or last rollout, in digits; null if there is none, or it is not read. */
  rollout: string | null;
  /** The event id of the last flip; null if there was none, or it is not read. */
  flip: string | null;
  /** Who flipped it last, and when (ISO 8601, UTC); null if nobody did, or they are not read. */
  by: string | null;
  at: string | null;
  /** The flag has been written since this read; the next read is under way. */
  isOutdated: boolean;
  /** The same of the weight. */
  isWeightOutdated: boolean;
  /** Monotonic ms until which the lease is certainly valid; null if there is none, or it is not read. */
  leaseUntil: number | null;
}

/**
 * Keeps flags and the lease in memory, so that requests never wait for Redis. While Redis is unreachable, the last readings are
 * kept and age; their users decide how old is too old. A flag that Redis has lost keeps its value and its weight. A weight that
 * is malformed counts as 0.
 */
export class FlagWatch {
  readonly #redis: TrackedReader;
  readonly #keys: Keys;
  readonly #logger: Logger;
  readonly #flagName: string;
  readonly #readsLease: boolean;
  readonly #readsWeight: boolean;
  readonly #readsRollout: boolean;
  readonly #infoFields: readonly (keyof FlagInfo)[];
  readonly #listeners: ((reading: FlagReading) => void)[] = [];
  readonly #names: Set<string>;
  readonly #readings = new Map<string, FlagReading>();
  /** Monotonic ms of the last invalidation, by key. */
  readonly #writtenAt = new Map<string, number>();

  /** Opens connections of its own. */
  constructor(options: {
    redisUrl: string;
    program: string;
    keys: Keys;
    flagName: string;
    readsLease?: boolean;
    readsWeight?: boolean;
    /** Reads the rollout's id, which not every user of Redis may. */
    readsRollout?: boolean;
    /** Reads the last flip as well, which not every user of Redis may. */
    readsInfo?: boolean;
    logger: Logger;
  }) {
    const { keys, flagName, logger, readsLease = false } = options;
    this.#readsWeight = options.readsWeight === true;
    this.#readsRollout = options.readsRollout === true;
    this.#keys = keys;
    this.#logger = logger;
    this.#flagName = flagName;
    this.#names = new Set([flagName]);
    this.#readsLease = readsLease;
    this.#infoFields = options.readsInfo === true ? INFO_FIELDS : [];
    this.#redis = new TrackedReader({
      redisUrl: options.redisUrl,
      program: options.program,
      prefixes: [keys.flag(""), ...(readsLease ? [keys.lease] : [])],
      onWritten: (written) => this.#noteWritten(written),
      read: (redis) => this.#read(redis),
      logger,
    });
  }

  /** Why Redis refused the last read; undefined if it did not, or did not answer. */
  get refusal(): string | undefined {
    return this.#redis.refusal;
  }

  /** Undefined until Redis has answered once. */
  get current(): FlagReading | undefined {
    return this.#readings.get(this.#flagName);
  }

  /** Also of a further flag that is watched. */
  readingOf(name: string): FlagReading | undefined {
    return this.#readings.get(name);
  }

  /** Watches further flags beside the first one. */
  watch(names: readonly string[]): void {
    for (const name of names) this.#names.add(name);
    this.#redis.read();
  }

  /** Called after each reading with a new value of its flag. */
  onChange(listener: (reading: FlagReading) => void): void {
    const known = new Map(
      [...this.#readings.values()].map(({ name, value }) => [name, value]),
    );
    this.onReading((reading) => {
      const { name, value } = reading;
      if (value === known.get(name)) return;
      known.set(name, value);
      listener(reading);
    });
  }

  /** Called with the current readings, with each further one, and when a write makes the last one outdated. */
  onReading(listener: (reading: FlagReading) => void): void {
    this.#listeners.push(listener);
    for (const reading of this.#readings.values()) listener(reading);
  }

  close(): void {
    this.#redis.close();
  }

  #noteWritten(written: readonly string[] | null): void {
    const now = performance.now();
    const { flag, flagWeight } = this.#keys;
    const isWritten = (key: string) => {
      const is = written?.includes(key) ?? true;
      if (is) this.#writtenAt.set(key, now);
      return is;
    };
    const outdated: FlagReading[] = [];
    for (const name of this.#names) {
      const ofFlag = isWritten(flag(name));
      const ofWeight = this.#readsWeight && isWritten(flagWeight(name));
      const reading = this.#readings.get(name);
      if (reading === undefined || !(ofFlag || ofWeight)) continue;
      const isOutdated = reading.isOutdated || ofFlag;
      const isWeightOutdated = reading.isWeightOutdated || ofWeight;
      outdated.push({ ...reading, isOutdated, isWeightOutdated });
    }
    this.#publish(outdated);
  }

  async #read(redis: Redis): Promise<void> {
    const sentAt = performance.now();
    const names = [...this.#names];
    const { flag, flagInfo, flagWeight, rollout, lease } = this.#keys;
    const read = redis.pipeline();
    if (this.#readsLease) read.get(lease).pttl(lease);
    for (const name of names) {
      read.get(flag(name));
      // After the flag: a rollout that begins in between is never seen as an open flag without its weight.
      if (this.#readsWeight) read.get(flagWeight(name));
      if (this.#readsRollout) read.hget(rollout(name), "id");
      for (const field of this.#infoFields) read.hget(flagInfo(name), field);
    }
    const replies = (await execAll(read))[Symbol.iterator]();
    const next = () => replies.next().value as string | null;
    const leaseUntil = this.#readsLease
      ? readLeaseUntil(next(), Number(next()), sentAt)
      : null;
    const readings = names.map((name) => {
      const raw = next();
      const rawWeight = this.#readsWeight ? next() : null;
      const rollout = readId(this.#readsRollout ? next() : null);
      const info = { ...NO_INFO };
      for (const field of this.#infoFields) info[field] = next();
      const read = this.#interpret(name, raw, info);
      const weight = this.#readWeight(name, raw, rawWeight);
      return { ...read, ...weight, rollout, leaseUntil };
    });
    const isWrittenSince = (key: string) =>
      sentAt < (this.#writtenAt.get(key) ?? 0);
    this.#publish(
      readings.map((reading) => ({
        ...reading,
        confirmedAt: sentAt,
        isOutdated: isWrittenSince(flag(reading.name)),
        isWeightOutdated: isWrittenSince(flagWeight(reading.name)),
      })),
    );
  }

  #interpret(name: string, raw: string | null, info: FlagInfo) {
    const last = this.#readings.get(name);
    const lastKnown = last?.value ?? info.value !== "false";
    const { value, garbled } = parseFlag(raw, lastKnown);
    const report = { flag: name, raw };
    if (garbled && raw !== last?.raw)
      this.#logger.warn(
        report,
        'flag counts as false: it is neither "true" nor "false"',
      );
    if (raw === null && typeof last?.raw === "string")
      this.#logger.warn(
        report,
        `Redis has lost the flag: it stays ${value} until it is written`,
      );
    const wasSet = raw !== null || info.value !== null || last?.wasSet === true;
    const { event: flip, by, at } = info;
    return { name, value, raw, wasSet, flip, by, at };
  }

  #readWeight(
    name: string,
    rawFlag: string | null,
    raw: string | null,
  ): Pick<FlagReading, "weight" | "weightProblem"> {
    const last = this.#readings.get(name);
    if (raw === null) {
      const isLost = rawFlag === null && last?.wasSet === true;
      const { weight, weightProblem } = last ?? NO_WEIGHT;
      return isLost ? { weight, weightProblem } : NO_WEIGHT;
    }
    const weight = parseWeight(raw);
    if (weight !== undefined) return { weight, weightProblem: null };
    const stored = JSON.stringify(raw.slice(0, MAX_SHOWN));
    const weightProblem = `the stored weight ${stored} counts as 0: give percent from 0 to 100 with at most two decimals, such as 7.5`;
    if (weightProblem !== last?.weightProblem)
      this.#logger.warn({ flag: name }, weightProblem);
    return { weight: 0, weightProblem };
  }

  #publish(readings: readonly FlagReading[]): void {
    for (const reading of readings) this.#readings.set(reading.name, reading);
    for (const reading of readings)
      for (const listener of this.#listeners) listener(reading);
  }
}

function readId(raw: string | null): string | null {
  return raw !== null && /^\d{1,15}$/.test(raw) ? raw : null;
}

function readLeaseUntil(
  lease: string | null,
  ttlMs: number,
  sentAt: number,
): number | null {
  return readLease(lease, ttlMs) && sentAt + ttlMs;
}
