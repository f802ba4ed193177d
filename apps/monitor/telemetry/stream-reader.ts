import { setTimeout as sleep } from "node:timers/promises";
import { ReplyError, type Redis } from "ioredis";
import type { Keys } from "../../../lib/redis/keys.js";
import { parseEvent, type LedgerEvent } from "../../../lib/flag/ledger.js";
import type { Logger } from "../../../lib/program/log.js";
import { waitForRedis } from "../../../lib/redis/redis.js";
import { entryTimeMs } from "../../../lib/redis/stream-entry.js";
import {
  parseTelemetry,
  type BadTelemetry,
  type Telemetry,
} from "../../../lib/telemetry/telemetry.js";

const BLOCK_MS = 1000;
const BATCH = 1000;
const RETRY_MS = 250;
/** How far back a monitor reads when it starts, to know what it should hear. */
const REPLAY_MS = 900_000;

export interface StreamListener {
  /** `atMs` is Redis's clock at the entry's arrival, or at its reading if that was earlier, here and below. */
  onTelemetry: (telemetry: Telemetry, atMs: number, id: string) => void;
  /** An entry of the telemetry that cannot be read. */
  onSkipped?: (bad: BadTelemetry, atMs: number, id: string) => void;
  /** `isNew` unless it is from before this monitor started. */
  onEvent: (event: LedgerEvent, atMs: number, isNew: boolean) => void;
  /** All that had arrived by `heardUntil` has been told; there has been no gap since `listeningSince`. */
  onCaughtUp: (heardUntil: number, listeningSince: number) => void;
  /** Nothing can be heard until further notice. */
  onGap: () => void;
}

/**
 * Follows the telemetry and the ledger. If Redis goes away or refuses it waits and goes on where it was; an entry that
 * cannot be read is skipped and counted, and reported the first time.
 */
export class StreamReader {
  readonly #redis: Redis;
  readonly #keys: Keys;
  readonly #listener: StreamListener;
  readonly #logger: Logger;
  readonly #startedAt: number;
  #lastIds: { telemetry: string; events: string } | undefined;
  #listeningSince: number | undefined;
  /** By Redis's clock, as it was when this was first known. */
  #newSince: number | undefined;
  #skipped = 0;
  #refused = false;
  #closed = false;
  #loop: Promise<void> | undefined;

  /**
   * @param options.redis a connection of its own, since it blocks
   * @param options.startedAt when what counts as new began, by `performance.now()`; now unless told
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

  /** Telemetry entries that could not be read so far. */
  get skipped(): number {
    return this.#skipped;
  }

  start(): void {
    this.#loop = this.#run();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#redis.disconnect();
    await this.#loop;
  }

  async #run(): Promise<void> {
    while (!this.#closed) {
      if (!(await waitForRedis(this.#redis, BLOCK_MS))) continue;
      try {
        await this.#read();
        this.#refused = false;
      } catch (err) {
        if (this.#listeningSince !== undefined) this.#listener.onGap();
        this.#listeningSince = undefined;
        this.#reportFailure(err);
        await sleep(RETRY_MS);
      }
    }
  }

  async #read(): Promise<void> {
    const askedAt = performance.now();
    const sentAt = await this.#redisTime();
    // A clock that was set back makes no gap.
    this.#listeningSince = Math.min(this.#listeningSince ?? sentAt, sentAt);
    this.#newSince ??= Math.ceil(sentAt - (askedAt - this.#startedAt));
    this.#lastIds ??= {
      telemetry: `${sentAt - REPLAY_MS}-0`,
      events: `${sentAt - REPLAY_MS}-0`,
    };
    const { telemetry, events } = this.#keys;
    const streams = [
      telemetry,
      events,
      this.#lastIds.telemetry,
      this.#lastIds.events,
    ];
    const reply = await this.#redis.xread(
      "COUNT",
      BATCH,
      "BLOCK",
      BLOCK_MS,
      "STREAMS",
      ...streams,
    );
    const now = Math.ceil(sentAt + performance.now() - askedAt);
    let heardUntil = sentAt;
    for (const [stream, entries] of reply ?? []) {
      for (const [id, fields] of entries)
        this.#tell(stream === events ? "events" : "telemetry", {
          id,
          fields,
          now,
        });
      // A full batch means that more is waiting.
      if (entries.length === BATCH)
        heardUntil = Math.min(
          heardUntil,
          entryTimeMs(entries.at(-1)?.[0] ?? ""),
        );
    }
    this.#listener.onCaughtUp(heardUntil, this.#listeningSince);
  }

  #tell(
    stream: "telemetry" | "events",
    { id, fields, now }: { id: string; fields: string[]; now: number },
  ): void {
    if (this.#lastIds !== undefined) this.#lastIds[stream] = id;
    // Redis's ids never go back, though its clock may have been set back: until it has caught up they name the future.
    const enteredAt = entryTimeMs(id);
    const atMs = Math.min(enteredAt, now);
    if (stream === "events") {
      const event = parseEvent(id, fields);
      const isNew = enteredAt >= (this.#newSince ?? 0);
      if (event !== undefined) this.#listener.onEvent(event, atMs, isNew);
      return;
    }
    const telemetry = parseTelemetry(fields);
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

  /** That Redis is away, its connection logs. */
  #reportFailure(err: unknown): void {
    if (!(err instanceof ReplyError) || this.#refused) return;
    this.#refused = true;
    this.#logger.warn({ err }, "Redis refuses telemetry: nothing is judged");
  }

  async #redisTime(): Promise<number> {
    const [seconds, microseconds] = await this.#redis.time();
    return Number(seconds) * 1000 + Math.floor(Number(microseconds) / 1000);
  }
}
