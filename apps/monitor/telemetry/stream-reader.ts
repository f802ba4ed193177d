import type { Redis } from "ioredis";
import type { Keys } from "../../../lib/redis/keys.js";
import { parseEvent, type LedgerEvent } from "../../../lib/flag/ledger.js";
import type { Logger } from "../../../lib/program/log.js";
import {
  follow,
  readNewer,
  type Positions,
} from "../../../lib/redis/stream-follower.js";
import { describeRedisError } from "../../../lib/redis/redis.js";
import { entryTimeMs } from "../../../lib/redis/stream-entry.js";
import {
  parseNotice,
  parseTelemetry,
  type BadTelemetry,
  type Notice,
  type Telemetry,
} from "../../../lib/telemetry/telemetry.js";

/** How far back a starting monitor reads, to know all proxies and agents. */
const REPLAY_MS = 900_000;

export interface StreamListener {
  /** `atMs` is the time of the entry's id by Redis's clock, at most the time of its reading; here and below. */
  onTelemetry?: (telemetry: Telemetry, atMs: number, id: string) => void;
  /** A telemetry entry that cannot be parsed. */
  onSkipped?: (bad: BadTelemetry, atMs: number, id: string) => void;
  onNotice?: (notice: Notice, atMs: number, id: string) => void;
  /** `isNew` if it was written after this monitor's start. */
  onEvent?: (event: LedgerEvent, atMs: number, isNew: boolean) => void;
  /** All entries up to `heardUntil` have been reported, without a gap since `listeningSince`. */
  onCaughtUp?: (heardUntil: number, listeningSince: number) => void;
  /** The streams cannot be read, for this reason, until the next `onCaughtUp`. */
  onGap?: (reason: string) => void;
}

interface ReaderOptions {
  /** A separate connection, because reads block. */
  redis: Redis;
  keys: Keys;
  listeners: readonly StreamListener[];
  logger: Logger;
  /** Later events count as new; by `performance.now()`, which is the default. */
  startedAt?: number;
}

/**
 * If Redis is away or refuses, the reader waits and continues where it was. It skips and counts entries that it cannot
 * parse, and logs the first. It follows the telemetry and the ledger.
 */
export class StreamReader {
  readonly #options: ReaderOptions;
  readonly #startedAt: number;
  #stop: (() => Promise<void>) | undefined;
  #positions: Positions | undefined;
  #listeningSince: number | undefined;
  /** The start, by Redis's clock at the first read. */
  #newSince: number | undefined;
  #clock: { redisMs: number; monotonicMs: number } | undefined;
  #skipped = 0;
  /** Why the last read failed. */
  #gap: string | undefined;

  constructor(options: ReaderOptions) {
    this.#options = options;
    this.#startedAt = options.startedAt ?? performance.now();
  }

  /** The number of skipped telemetry entries. */
  get skipped(): number {
    return this.#skipped;
  }

  /** Redis's clock, in ms since the epoch; undefined before it has answered once. */
  redisNow(): number | undefined {
    if (this.#clock === undefined) return undefined;
    return this.#clock.redisMs + performance.now() - this.#clock.monotonicMs;
  }

  start(): void {
    this.#stop = follow(
      this.#options.redis,
      () => this.#read(),
      (err) => this.#endListening(err),
    );
  }

  async close(): Promise<void> {
    this.#options.redis.disconnect();
    await this.#stop?.();
  }

  async #read(): Promise<void> {
    const { redis, keys, listeners } = this.#options;
    const askedAt = performance.now();
    const sentAt = await this.#readClock();
    this.#newSince ??= Math.ceil(sentAt - (askedAt - this.#startedAt));
    const { telemetry, events } = keys;
    const start = `${sentAt - REPLAY_MS}-0`;
    const positions = (this.#positions ??= {
      [telemetry]: start,
      [events]: start,
    });
    const isFirst = this.#listeningSince === undefined;
    const read = await readNewer(redis, positions, isFirst ? 1 : undefined);
    const now = Math.ceil(sentAt + performance.now() - askedAt);
    for (const { stream, id, fields } of read.entries) {
      positions[stream] = id;
      if (stream === events) this.#tellEvent(id, fields, now);
      else this.#tellTelemetry(id, fields, now);
    }
    this.#gap = undefined;
    // A clock that is set back makes no gap.
    const since = Math.min(this.#listeningSince ?? sentAt, sentAt);
    this.#listeningSince = since;
    const heardUntil = Math.min(sentAt, ...read.moreAfter.map(entryTimeMs));
    for (const listener of listeners) listener.onCaughtUp?.(heardUntil, since);
  }

  #tellEvent(id: string, fields: string[], now: number): void {
    const event = parseEvent(id, fields);
    if (event === undefined) return;
    const isNew = entryTimeMs(id) >= (this.#newSince ?? 0);
    for (const listener of this.#options.listeners)
      listener.onEvent?.(event, arrivalMs(id, now), isNew);
  }

  #tellTelemetry(id: string, fields: string[], now: number): void {
    const { listeners, logger } = this.#options;
    const atMs = arrivalMs(id, now);
    const notice = parseNotice(fields);
    if (notice !== undefined) {
      for (const listener of listeners) listener.onNotice?.(notice, atMs, id);
      return;
    }
    const telemetry = parseTelemetry(fields);
    if (!("problem" in telemetry)) {
      for (const listener of listeners)
        listener.onTelemetry?.(telemetry, atMs, id);
      return;
    }
    // Receipts are read by the command or API call that flips the flag.
    if (telemetry.claimedKind === "gate") return;
    this.#skipped += 1;
    const { problem } = telemetry;
    if (this.#skipped === 1)
      logger.warn(
        { id, problem },
        "a telemetry entry was skipped; further ones are only counted",
      );
    for (const listener of listeners) listener.onSkipped?.(telemetry, atMs, id);
  }

  /** Reports each reason once. */
  #endListening(err: unknown): void {
    this.#listeningSince = undefined;
    const gap = `telemetry cannot be read: ${describeRedisError(err, this.#options.redis)}`;
    if (gap === this.#gap) return;
    this.#gap = gap;
    for (const listener of this.#options.listeners) listener.onGap?.(gap);
  }

  async #readClock(): Promise<number> {
    const askedAt = performance.now();
    const [seconds, microseconds] = await this.#options.redis.time();
    const redisMs =
      Number(seconds) * 1000 + Math.floor(Number(microseconds) / 1000);
    const monotonicMs = (askedAt + performance.now()) / 2;
    this.#clock = { redisMs, monotonicMs };
    return redisMs;
  }
}

/** Ids never go back. After Redis's clock was set back, they are in the future until it has caught up. */
function arrivalMs(id: string, now: number): number {
  return Math.min(entryTimeMs(id), now);
}
