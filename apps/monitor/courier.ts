import { setTimeout as sleep } from "node:timers/promises";
import type { Redis } from "ioredis";
import type { Keys } from "../../lib/keys.js";
import type { LedgerEvent } from "../../lib/ledger.js";
import type { Logger } from "../../lib/log.js";
import { retryDelayMs, type RetryLimits } from "./alert/retry-delay.js";
import type { Mail, MailTransport } from "./alert/transport.js";
import { Outbox, type OutboxEntry } from "./outbox.js";

const POLL_INTERVAL_MS = 200;
const RETRY_LIMITS: RetryLimits = { firstMs: 1000, maxMs: 60_000 };
/** How long a stop waits for a mail that is being handed over. */
const STOP_GRACE_MS = 3000;
const MAX_LOGGED_CHARACTERS = 500;

export interface CourierStatus {
  /** Mails still to be sent; null while Redis is away. */
  pending: number | null;
  /** Why the mail at the front of the outbox could not be sent; null when nothing holds it back. */
  lastError: string | null;
  /** ISO 8601, UTC. */
  lastSentAt: string | null;
}

/**
 * If the transport is down, mails wait in the outbox, in order; a flip never waits for a mail.
 *
 * Between `start` and `stop` it hands the outbox's mails to the transport, one at a time, oldest first, and only while
 * the lease has the fence's exact value. A mail is tried until the transport has taken it and removed then, so that none
 * is lost; one is sent twice only if the process dies between the two, or the transport's answer is lost on the way.
 */
export class Courier {
  readonly #redis: Redis;
  readonly #keys: Keys;
  readonly #outbox: Outbox;
  readonly #transport: MailTransport;
  readonly #compose: (event: LedgerEvent) => Mail;
  readonly #logger: Logger;
  readonly #retryLimits: RetryLimits;
  readonly #onDelivered: ((event: LedgerEvent) => void) | undefined;
  #stopping = new AbortController();
  #run: Promise<void> = Promise.resolve();
  /** The entry that the transport took and Redis could not be told of: never to be sent again. */
  #takenId: string | undefined;
  #failures = 0;
  #outageReported = false;
  #lastError: string | null = null;
  #lastSentAt: string | null = null;

  constructor(options: {
    /** Never blocked on, so that it may be shared. */
    redis: Redis;
    keys: Keys;
    /** This monitor among the couriers, the same after a restart. */
    consumer: string;
    transport: MailTransport;
    compose: (event: LedgerEvent) => Mail;
    logger: Logger;
    retryLimits?: RetryLimits;
    /** Called when the transport has taken an event's mail. */
    onDelivered?: (event: LedgerEvent) => void;
  }) {
    this.#redis = options.redis;
    this.#keys = options.keys;
    this.#outbox = new Outbox(options);
    this.#transport = options.transport;
    this.#compose = options.compose;
    this.#logger = options.logger;
    this.#retryLimits = options.retryLimits ?? RETRY_LIMITS;
    this.#onDelivered = options.onDelivered;
  }

  /** Delivers until `stop`, whenever the lease's stored value is `fence`. */
  start(fence: string): void {
    this.#stopping.abort();
    const stopping = new AbortController();
    this.#stopping = stopping;
    // One run after the other: two at once would send a mail twice.
    this.#run = this.#run.then(() => this.#deliver(fence, stopping.signal));
  }

  /** No send begins after this call. Waits for one that has begun, though not for ever. May be called twice. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    const grace = sleep(STOP_GRACE_MS, undefined, { ref: false });
    await Promise.race([this.#run, grace]);
  }

  async status(): Promise<CourierStatus> {
    const pending = await this.#outbox.count().catch(() => null);
    return {
      pending,
      lastError: this.#lastError,
      lastSentAt: this.#lastSentAt,
    };
  }

  async #deliver(fence: string, signal: AbortSignal): Promise<void> {
    this.#failures = 0;
    while (!signal.aborted) {
      const waitMs = await this.#deliverNext(fence, signal).catch(
        (err: unknown) => this.#reportOutage(err),
      );
      await pause(waitMs, signal);
    }
    // What holds mails back from here on is for the next leader to say.
    this.#lastError = null;
  }

  /** @returns how long to wait before the next call. @throws when Redis is away. */
  async #deliverNext(fence: string, signal: AbortSignal): Promise<number> {
    await this.#removeTaken();
    const leads = (await this.#redis.get(this.#keys.lease)) === fence;
    const entry = leads ? await this.#outbox.next() : undefined;
    this.#outageReported = false;
    if (entry === undefined || signal.aborted) return POLL_INTERVAL_MS;
    const { id, event } = entry;
    if (event === undefined) return await this.#discard(entry);
    try {
      await this.#transport.send(this.#compose(event));
    } catch (err) {
      return this.#putOff(event, err);
    }
    this.#takenId = id;
    this.#noteSent(event);
    await this.#removeTaken();
    return 0;
  }

  async #removeTaken(): Promise<void> {
    if (this.#takenId === undefined) return;
    await this.#outbox.remove(this.#takenId);
    this.#takenId = undefined;
  }

  #noteSent(event: LedgerEvent): void {
    this.#failures = 0;
    this.#lastError = null;
    this.#lastSentAt = new Date().toISOString();
    this.#logger.info({ event: event.id, kind: event.kind }, "mail sent");
    this.#onDelivered?.(event);
  }

  /** A failure that repeats itself is told once. @returns how long to wait before the next try. */
  #putOff(event: LedgerEvent, err: unknown): number {
    this.#failures += 1;
    const retryInMs = Math.round(
      retryDelayMs(this.#failures, this.#retryLimits, Math.random()),
    );
    const error = err instanceof Error ? err.message : String(err);
    this.#logger[error === this.#lastError ? "debug" : "warn"](
      {
        event: event.id,
        kind: event.kind,
        failures: this.#failures,
        retryInMs,
        // The message alone: an error of a mail library may carry more than a log should hold.
        error,
      },
      "mail could not be sent and waits in the outbox",
    );
    this.#lastError = error;
    return retryInMs;
  }

  /** An entry that is no event would hold up all mails behind it for ever. */
  async #discard({ id, fields }: OutboxEntry): Promise<number> {
    const content = JSON.stringify(fields).slice(0, MAX_LOGGED_CHARACTERS);
    this.#logger.warn({ id, content }, "outbox entry is no event: removed");
    await this.#outbox.remove(id);
    return 0;
  }

  #reportOutage(err: unknown): number {
    this.#logger[this.#outageReported ? "debug" : "warn"](
      { err },
      "outbox cannot be reached: mails wait",
    );
    this.#outageReported = true;
    return POLL_INTERVAL_MS;
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  // It rejects only when aborted, and then the wait is over too.
  await sleep(ms, undefined, { signal }).catch(() => undefined);
}
