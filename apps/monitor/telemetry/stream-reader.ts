import { ReplyError, type Redis } from "ioredis";
import type { Keys } from "../../../lib/redis/keys.js";
import { parseEvent, type LedgerEvent } from "../../../lib/flag/ledger.js";
import type { Logger } from "../../../lib/program/log.js";
import {
  follow,
  readNewer,
  type Positions,
} from "../../../lib/redis/stream-follower.js";
import { entryTimeMs } from "../../../lib/redis/stream-entry.js";
import {
  parseTelemetry,
  type BadTelemetry,
  type Telemetry,
} from "../../../lib/telemetry/telemetry.js";

/** How far back a starting monitor reads, to know all proxies and agents. */
const REPLAY_MS = 900_000;

export interface StreamListener {
  /** `atMs` is the time of the entry's id by Redis's clock, at most the time of its reading; here and below. */
  onTelemetry: (telemetry: Telemetry, atMs: number, id: string) => void;
  /** A telemetry entry that cannot be parsed. */
  onSkipped?: (bad: BadTelemetry, atMs: number, id: string) => void;
  /** `isNew` if it was written after this monitor's start. */
  onEvent: (event: LedgerEvent, atMs: number, isNew: boolean) => void;
  /** All entries up to `heardUntil` have been reported, without a gap since `listeningSince`. */
  onCaughtUp: (heardUntil: number, listeningSince: number) => void;
  /** The streams cannot be read, until the next `onCaughtUp`. */
  onGap: () => void;
}

/**
 * If Redis is away or refuses, the reader waits and continues where it was. It skips and counts entries that it cannot
 * parse, and logs the first. It follows the telemetry and the ledger.
 */
export class StreamReader {
  readonly #redis: Redis;
  readonly #keys: Keys;
  readonly #listener: StreamListener;
  readonly #logger: Logger;
  readonly #startedAt: number;
  #stop: (() => Promise<void>) | undefined;
  #positions: Positions | undefined;
  #listeningSince: number | undefined;
  /** The start, by Redis's clock at the first read. */
  #newSince: number | undefined;
  #skipped = 0;
  #refused = false;

  /**
   * @param options.redis a separate connection, because reads block
   * @param options.startedAt later events count as new; by `performance.now()`, which is the default
   */
  constructor(options: {
    redis: Redis;
    keys: Keys;
    listener: StreamListener;
    logger: Logger;
    startedAt?: number;
  }) {
    this.#redis = options.redis;
    this.#keys = options.keys;
    this.#listener = options.listener;
    this.#logger = options.logger;
    this.#startedAt = options.startedAt ?? performance.now();
  }

  /** The number of skipped telemetry entries. */
  get skipped(): number {
    return this.#skipped;
  }

  start(): void {
    this.#stop = follow(
      this.#redis,
      () => this.#read(),
      (err) => this.#endListening(err),
    );
  }

  async close(): Promise<void> {
    this.#redis.disconnect();
    await this.#stop?.();
  }

  async #read(): Promise<void> {
    const askedAt = performance.now();
    const sentAt = await this.#redisTime();
    // A clock that is set back makes no gap.
    this.#listeningSince = Math.min(this.#listeningSince ?? sentAt, sentAt);
    this.#newSince ??= Math.ceil(sentAt - (askedAt - this.#startedAt));
    const { telemetry, events } = this.#keys;
    const start = `${sentAt - REPLAY_MS}-0`;
    const positions = (this.#positions ??= {
      [telemetry]: start,
      [events]: start,
    });
    const { entries, moreAfter } = await readNewer(this.#redis, positions);
    this.#refused = false;
    const now = Math.ceil(sentAt + performance.now() - askedAt);
    for (const { stream, id, fields } of entries) {
      positions[stream] = id;
      if (stream === events) this.#tellEvent(id, fields, now);
      else this.#tellTelemetry(id, fields, now);
    }
    const heardUntil = Math.min(sentAt, ...moreAfter.map(entryTimeMs));
    this.#listener.onCaughtUp(heardUntil, this.#listeningSince);
  }

  #tellEvent(id: string, fields: string[], now: number): void {
    const event = parseEvent(id, fields);
    const isNew = entryTimeMs(id) >= (this.#newSince ?? 0);
    if (event !== undefined)
      this.#listener.onEvent(event, arrivalMs(id, now), isNew);
  }

  #tellTelemetry(id: string, fields: string[], now: number): void {
    const telemetry = parseTelemetry(fields);
    const atMs = arrivalMs(id, now);
    if ("problem" in telemetry) {
      this.#skip(id, telemetry.problem);
      this.#listener.onSkipped?.(telemetry, atMs, id);
    } else this.#listener.onTelemetry(telemetry, atMs, id);
  }

  #skip(id: string, problem: string): void {
    this.#skipped += 1;
    if (this.#skipped === 1)
      this.#logger.warn(
        { id, problem },
        "a telemetry entry was skipped; further ones are only counted",
      );
  }

  /** Logs refusals only: the connection logs outages. */
  #endListening(err: unknown): void {
    if (this.#listeningSince !== undefined) this.#listener.onGap();
    this.#listeningSince = undefined;
    if (!(err instanceof ReplyError) || this.#refused) return;
    this.#refused = true;
    this.#logger.warn({ err }, "Redis refuses telemetry: nothing is judged");
  }

  async #redisTime(): Promise<number> {
    const [seconds, microseconds] = await this.#redis.time();
    return Number(seconds) * 1000 + Math.floor(Number(microseconds) / 1000);
  }
}

/** Ids never go back. After Redis's clock was set back, they are in the future until it has caught up. */
function arrivalMs(id: string, now: number): number {
  return Math.min(entryTimeMs(id), now);
}
