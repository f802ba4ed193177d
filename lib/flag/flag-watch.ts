import type { Redis } from "ioredis";
import type { Keys } from "../redis/keys.js";
import { readLease } from "./lease-reading.js";
import type { Logger } from "../program/log.js";
import { createRedis, execAll, whyRefused } from "../redis/redis.js";

/** Polling catches a missed invalidation. */
const POLL_INTERVAL_MS = 1000;
const INVALIDATIONS = "__redis__:invalidate";

type StoredState = [
  flag: string | null,
  lease: string | null,
  leaseTtlMs: number,
  flip?: string | null,
  recorded?: string | null,
];

export interface FlagReading {
  value: boolean;
  /** As stored; null if absent, or lost. */
  raw: string | null;
  /** Monotonic ms (`performance.now()`) at which the confirming read was sent. */
  confirmedAt: number;
  /** The event id of the last flip; null if there was none, or it is not read. */
  flip: string | null;
  /** The flag has been written since this read; the next read is under way. */
  isOutdated: boolean;
  /** Monotonic ms until which the lease is certainly valid; null if there is none. */
  leaseUntil: number | null;
}

/**
 * Keeps the flag and the lease in memory, so that requests never wait for Redis. While Redis is unreachable, the last
 * reading is kept and ages; its users decide how old is too old. A flag that Redis has lost keeps its value.
 *
 * Redis announces each change by client-side caching (CLIENT TRACKING in broadcasting mode, redirected to a second
 * connection). Tracking is enabled again when either connection is new.
 */
export class FlagWatch {
  readonly #reader: Redis;
  readonly #subscriber: Redis;
  readonly #logger: Logger;
  readonly #flagName: string;
  readonly #flagKey: string;
  readonly #leaseKey: string;
  /** Undefined if only the flag itself is read. */
  readonly #infoKey: string | undefined;
  readonly #listeners: ((reading: FlagReading) => void)[] = [];
  #reading: FlagReading | undefined;
  #refusal: string | undefined;
  #readsInFlight = 0;
  /** Monotonic ms of the last invalidation that named the flag. */
  #writtenAt = 0;
  /** The subscriber's client id; undefined while it is not subscribed. */
  #redirectTo: number | undefined;
  #poll: NodeJS.Timeout | undefined;

  /** Opens connections of its own. */
  constructor(options: {
    redisUrl: string;
    program: string;
    keys: Keys;
    flagName: string;
    /** Reads the last flip as well, which not every user of Redis may. */
    readsFlip?: boolean;
    logger: Logger;
  }) {
    const { redisUrl, program, keys, flagName, logger } = options;
    const open = (purpose: string) =>
      createRedis({ url: redisUrl, name: `${program}-${purpose}`, logger });
    this.#reader = open("flag");
    this.#subscriber = open("invalidations");
    this.#logger = logger;
    this.#flagName = flagName;
    this.#flagKey = keys.flag(flagName);
    this.#leaseKey = keys.lease;
    if (options.readsFlip === true) this.#infoKey = keys.flagInfo(flagName);
    this.#start();
  }

  /** Why Redis refused the last read; undefined if it did not, or did not answer. */
  get refusal(): string | undefined {
    return this.#refusal;
  }

  /** Undefined until Redis has answered once. */
  get current(): FlagReading | undefined {
    return this.#reading;
  }

  /** Called after each reading with a new value of the flag. */
  onChange(listener: (reading: FlagReading) => void): void {
    let known = this.#reading?.value;
    this.onReading((reading) => {
      if (reading.value === known) return;
      known = reading.value;
      listener(reading);
    });
  }

  /** Called with the current reading, if there is one, after each further one, and when a write makes the last one outdated. */
  onReading(listener: (reading: FlagReading) => void): void {
    this.#listeners.push(listener);
    if (this.#reading !== undefined) listener(this.#reading);
  }

  #start(): void {
    // `message` would join the keys into one string.
    this.#subscriber.on("messageBuffer", (_channel, written: unknown) =>
      this.#onWritten(written),
    );
    this.#subscriber.on("ready", () => this.#subscribe());
    this.#subscriber.on("close", () => (this.#redirectTo = undefined));
    this.#reader.on("ready", () => this.#arm());
    this.#poll = setInterval(() => {
      if (this.#readsInFlight === 0) this.#read();
    }, POLL_INTERVAL_MS);
  }

  close(): void {
    clearInterval(this.#poll);
    this.#reader.disconnect();
    this.#subscriber.disconnect();
  }

  #subscribe(): void {
    const subscribed = async () => {
      const id = await this.#subscriber.client("ID");
      await this.#subscriber.subscribe(INVALIDATIONS);
      this.#redirectTo = id;
    };
    subscribed().then(
      () => this.#arm(),
      (err: unknown) =>
        this.#logger.warn(
          { err },
          "flag changes are polled: could not subscribe to invalidations",
        ),
    );
  }

  #arm(): void {
    if (this.#reader.status !== "ready") return;
    this.#read();
    if (this.#redirectTo === undefined) return;
    // Read again, because a change between the read above and the start of tracking is not announced.
    this.#track(this.#redirectTo).then(
      () => this.#read(),
      (err: unknown) =>
        this.#logger.warn(
          { err },
          "flag changes are polled: client tracking could not be armed",
        ),
    );
  }

  /** Switches tracking off first, because a second ON with the same prefix is an error. */
  async #track(redirectTo: number): Promise<void> {
    await this.#reader.client("TRACKING", "OFF");
    await this.#reader.call(
      "CLIENT",
      ...["TRACKING", "ON", "REDIRECT", redirectTo, "BCAST"],
      ...["PREFIX", this.#flagKey, "PREFIX", this.#leaseKey],
    );
  }

  /** @param written the invalidated keys; null for all of them, after a flush */
  #onWritten(written: unknown): void {
    const isFlag =
      !Array.isArray(written) ||
      written.some((key) => String(key) === this.#flagKey);
    if (isFlag) this.#writtenAt = performance.now();
    if (isFlag && this.#reading !== undefined)
      this.#publish({ ...this.#reading, isOutdated: true });
    this.#read();
  }

  #read(): void {
    const sentAt = performance.now();
    this.#readsInFlight += 1;
    const read = this.#reader
      .pipeline()
      .get(this.#flagKey)
      .get(this.#leaseKey)
      .pttl(this.#leaseKey);
    if (this.#infoKey !== undefined)
      read.hget(this.#infoKey, "event").hget(this.#infoKey, "value");
    execAll(read)
      .then((replies) => this.#take(replies as StoredState, sentAt))
      .catch((err: unknown) => this.#noteFailure(err))
      .finally(() => {
        this.#readsInFlight -= 1;
      });
  }

  /** Logs each reason once. The connection logs outages itself. */
  #noteFailure(err: unknown): void {
    const because = whyRefused(err, this.#reader);
    if (because !== this.#refusal && this.#reader.status === "ready")
      this.#logger.warn({ because }, "flag cannot be read");
    this.#refusal = because;
  }

  #take(
    [raw, lease, leaseTtlMs, flip = null, recorded = null]: StoredState,
    sentAt: number,
  ): void {
    this.#refusal = undefined;
    const last = this.#reading;
    const { value, garbled } = parseFlag(
      raw,
      last?.value ?? recorded !== "false",
    );
    const report = { flag: this.#flagName, raw };
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
    this.#publish({
      value,
      raw,
      flip,
      confirmedAt: sentAt,
      isOutdated: sentAt < this.#writtenAt,
      leaseUntil: readLease(lease, leaseTtlMs) && sentAt + leaseTtlMs,
    });
  }

  #publish(reading: FlagReading): void {
    this.#reading = reading;
    for (const listener of this.#listeners) listener(reading);
  }
}

/**
 * A flag that Redis has lost keeps its last known value, and one that was never written is true. A value other than `true`
 * and `false` counts as false.
 */
export function parseFlag(
  raw: string | null,
  lastKnown = true,
): { value: boolean; garbled: boolean } {
  return {
    value: raw === null ? lastKnown : raw === "true",
    garbled: raw !== null && raw !== "true" && raw !== "false",
  };
}
