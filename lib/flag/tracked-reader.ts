import type { Redis } from "ioredis";
import type { Logger } from "../program/log.js";
import { createRedis, whyRefused } from "../redis/redis.js";

/** Polling catches a missed invalidation. */
const POLL_INTERVAL_MS = 1000;
const INVALIDATIONS = "__redis__:invalidate";

/**
 * Reads again whenever Redis announces a write to one of its keys, and every second.
 *
 * Redis announces each write by client-side caching (CLIENT TRACKING in broadcasting mode, redirected to a second
 * connection). Tracking is enabled again when either connection is new.
 */
export class TrackedReader {
  readonly #reader: Redis;
  readonly #subscriber: Redis;
  readonly #logger: Logger;
  readonly #prefixes: readonly string[];
  readonly #onRead: (redis: Redis) => Promise<void>;
  #refusal: string | undefined;
  #readsInFlight = 0;
  #isClosed = false;
  /** The subscriber's client id; undefined while it is not subscribed. */
  #redirectTo: number | undefined;
  readonly #poll: NodeJS.Timeout;

  /** Opens connections of its own. */
  constructor(options: {
    redisUrl: string;
    program: string;
    /** Of the keys whose writes are announced. None may begin with another. */
    prefixes: readonly string[];
    /** Called with the keys that were written, or null for all of them, after a flush. A read follows. */
    onWritten: (keys: readonly string[] | null) => void;
    read: (redis: Redis) => Promise<void>;
    logger: Logger;
  }) {
    const { redisUrl, program, prefixes, onWritten, read, logger } = options;
    const open = (purpose: string) =>
      createRedis({ url: redisUrl, name: `${program}-${purpose}`, logger });
    this.#reader = open("flag");
    this.#subscriber = open("invalidations");
    this.#logger = logger;
    this.#prefixes = prefixes;
    this.#onRead = read;
    // `message` would join the keys into one string.
    this.#subscriber.on("messageBuffer", (_channel, written: unknown) => {
      onWritten(Array.isArray(written) ? written.map(String) : null);
      this.read();
    });
    this.#subscriber.on("ready", () => this.#subscribe());
    this.#subscriber.on("close", () => (this.#redirectTo = undefined));
    this.#reader.on("ready", () => this.#arm());
    this.#poll = setInterval(() => {
      if (this.#readsInFlight === 0) this.read();
    }, POLL_INTERVAL_MS);
  }

  /** Why Redis refused the last read; undefined if it did not, or did not answer. */
  get refusal(): string | undefined {
    return this.#refusal;
  }

  read(): void {
    this.#readsInFlight += 1;
    this.#onRead(this.#reader)
      .then(() => (this.#refusal = undefined))
      .catch((err: unknown) => this.#noteFailure(err))
      .finally(() => {
        this.#readsInFlight -= 1;
      });
  }

  close(): void {
    this.#isClosed = true;
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
        this.#warnOfPolling(err, "could not subscribe to invalidations"),
    );
  }

  #arm(): void {
    if (this.#reader.status !== "ready") return;
    this.read();
    if (this.#redirectTo === undefined) return;
    // Read again, because a change between the read above and the start of tracking is not announced.
    this.#track(this.#redirectTo).then(
      () => this.read(),
      (err: unknown) =>
        this.#warnOfPolling(err, "client tracking could not be armed"),
    );
  }

  /** A connection that has ended logs its outage itself. */
  #warnOfPolling(err: unknown, what: string): void {
    const connections = [this.#reader, this.#subscriber];
    const areOpen = connections.every(({ status }) => status === "ready");
    if (areOpen && !this.#isClosed)
      this.#logger.warn({ err }, `flag changes are polled: ${what}`);
  }

  /** Switches tracking off first, because a second ON with the same prefix is an error. */
  async #track(redirectTo: number): Promise<void> {
    await this.#reader.client("TRACKING", "OFF");
    await this.#reader.call(
      "CLIENT",
      ...["TRACKING", "ON", "REDIRECT", redirectTo, "BCAST"],
      ...this.#prefixes.flatMap((prefix) => ["PREFIX", prefix]),
    );
  }

  /** Logs each reason once. The connection logs outages itself. */
  #noteFailure(err: unknown): void {
    const because = whyRefused(err, this.#reader);
    if (because !== this.#refusal && this.#reader.status === "ready")
      this.#logger.warn({ because }, "flag cannot be read");
    this.#refusal = because;
  }
}
