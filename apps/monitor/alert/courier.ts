import { setTimeout as sleep } from "node:timers/promises";
import type { Redis } from "ioredis";
import type { HeldChannel } from "../../../lib/telemetry/monitor-state.js";
import type { Keys } from "../../../lib/redis/keys.js";
import type { Ledger, LedgerEvent } from "../../../lib/flag/ledger.js";
import {
  backOffMs,
  type BackOffLimits,
} from "../../../lib/program/back-off.js";
import type { Logger } from "../../../lib/program/log.js";
import {
  RefusedError,
  type Channel,
  type ChannelName,
} from "./channels/channel.js";
import { Outbox, type OutboxEntry } from "./outbox.js";

const POLL_INTERVAL_MS = 200;
const RETRY_LIMITS: BackOffLimits = { firstMs: 1000, maxMs: 60_000 };
/** A server may refuse for a moment what it takes later; with the usual back-off these are some ten seconds. */
const MAX_REFUSALS = 5;
/** How long a stop waits for a message that is being handed over. */
const STOP_GRACE_MS = 3000;
const MAX_LOGGED_CHARACTERS = 500;

/** Since the start. */
export interface CourierTotals {
  channel: ChannelName;
  sent: number;
  failures: number;
  /** Given up, since they were refused again and again. */
  putAside: number;
}

/**
 * If a channel is down, its messages wait in the outbox, in order; neither a flip nor another channel waits for them.
 *
 * Between `start` and `stop` it hands the outbox's events to its channel, one at a time, oldest first, and only while the
 * lease has the fence's exact value. Each is tried until the channel has taken it and removed then, so that none is lost;
 * one is sent twice only if the process dies between the two, or the answer is lost on the way. One that is refused again
 * and again is put aside, which the ledger tells: it would hold up those behind it for ever.
 */
export class Courier {
  readonly #redis: Redis;
  readonly #keys: Keys;
  readonly #outbox: Outbox;
  readonly #ledger: Pick<Ledger, "record">;
  readonly #channel: Channel;
  readonly #logger: Logger;
  readonly #retryLimits: BackOffLimits;
  readonly #totals: CourierTotals;
  #stopping = new AbortController();
  #run: Promise<void> = Promise.resolve();
  /** The entry that the channel took and Redis could not be told of: never to be sent again. */
  #takenId: string | undefined;
  #failures = 0;
  /** Of the event at the front. */
  #refusals = 0;
  #mayHaveOrphans = true;
  #outageReported = false;
  #lastError: string | null = null;

  constructor(options: {
    /** Never blocked on, so that it may be shared. */
    redis: Redis;
    keys: Keys;
    ledger: Pick<Ledger, "record">;
    /** This monitor among the couriers, the same after a restart. */
    consumer: string;
    channel: Channel;
    /** All that are in use, this one among them. */
    channels: readonly ChannelName[];
    logger: Logger;
    retryLimits?: BackOffLimits;
  }) {
    const { name } = options.channel;
    this.#redis = options.redis;
    this.#keys = options.keys;
    this.#ledger = options.ledger;
    this.#outbox = new Outbox({ ...options, channel: name });
    this.#channel = options.channel;
    this.#logger = options.logger;
    this.#retryLimits = options.retryLimits ?? RETRY_LIMITS;
    this.#totals = { channel: name, sent: 0, failures: 0, putAside: 0 };
  }

  get totals(): Readonly<CourierTotals> {
    return this.#totals;
  }

  /** Why the event at the front could not be sent; undefined when nothing holds it back, or it is another monitor's to send. */
  get held(): HeldChannel | undefined {
    return this.#lastError === null
      ? undefined
      : { channel: this.#channel.name, error: this.#lastError };
  }

  /** Delivers until `stop`, whenever the lease's stored value is `fence`. */
  start(fence: string): void {
    this.#stopping.abort();
    const stopping = new AbortController();
    this.#stopping = stopping;
    // One run after the other: two at once would send an event twice.
    this.#run = this.#run.then(() => this.#deliver(fence, stopping.signal));
  }

  /** No send begins after this call. Waits for one that has begun, though not for ever. May be called twice. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    const grace = sleep(STOP_GRACE_MS, undefined, { ref: false });
    await Promise.race([this.#run, grace]);
  }

  async #deliver(fence: string, signal: AbortSignal): Promise<void> {
    this.#failures = 0;
    // Another monitor may have led meanwhile, and another event be at the front.
    this.#refusals = 0;
    this.#mayHaveOrphans = true;
    while (!signal.aborted) {
      const waitMs = await this.#deliverNext(fence, signal).catch(
        (err: unknown) => this.#reportOutage(err),
      );
      await pause(waitMs, signal);
    }
    // What holds messages back from here on is for the next leader to say.
    this.#lastError = null;
  }

  /** @returns how long to wait before the next call. @throws when Redis is away. */
  async #deliverNext(fence: string, signal: AbortSignal): Promise<number> {
    await this.#removeTaken();
    const leads = (await this.#redis.get(this.#keys.lease)) === fence;
    if (leads && this.#mayHaveOrphans) await this.#outbox.removeOrphans();
    this.#mayHaveOrphans = !leads && this.#mayHaveOrphans;
    const entry = leads ? await this.#outbox.next() : undefined;
    this.#outageReported = false;
    if (entry === undefined || signal.aborted) return POLL_INTERVAL_MS;
    const { id, event } = entry;
    if (event === undefined) return await this.#discard(entry);
    try {
      await this.#channel.send(event);
    } catch (err) {
      const waitMs = this.#putOff(event, err);
      if (this.#refusals < MAX_REFUSALS) return waitMs;
      return await this.#putAside(id, event, fence);
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
    this.#refusals = 0;
    this.#totals.sent += 1;
    this.#lastError = null;
    const { name } = this.#channel;
    this.#logger.info({ event: event.id, kind: event.kind }, `${name} sent`);
  }

  /** A failure that repeats itself is told once. @returns how long to wait before the next try. */
  #putOff(event: LedgerEvent, err: unknown): number {
    this.#failures += 1;
    this.#totals.failures += 1;
    if (err instanceof RefusedError) this.#refusals += 1;
    const retryInMs = Math.round(
      backOffMs(this.#failures, this.#retryLimits, Math.random()),
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
      `${this.#channel.name} could not be sent and waits in the outbox`,
    );
    this.#lastError = error;
    return retryInMs;
  }

  /** @throws when Redis is away: the next refusal then brings it here again. */
  async #putAside(
    id: string,
    event: LedgerEvent,
    fence: string,
  ): Promise<number> {
    const { name } = this.#channel;
    const error = this.#lastError ?? "";
    const reason = `the ${name} about event ${event.id} (${event.reason}) was refused ${this.#refusals} times and is put aside: ${error}`;
    const data = { alert: "refused", channel: name, event: event.id, error };
    const outcome = await this.#ledger.record(
      { kind: "alert", by: "monitor", reason, data },
      { fence },
    );
    if (outcome === "fenced") return POLL_INTERVAL_MS;
    await this.#outbox.remove(id);
    this.#logger.error(data, `${name} put aside: it was refused for good`);
    this.#totals.putAside += 1;
    this.#failures = 0;
    this.#refusals = 0;
    this.#lastError = null;
    return 0;
  }

  /** An entry that is no event would hold up all that are behind it for ever. */
  async #discard({ id, fields }: OutboxEntry): Promise<number> {
    const content = JSON.stringify(fields).slice(0, MAX_LOGGED_CHARACTERS);
    this.#logger.warn({ id, content }, "outbox entry is no event: removed");
    await this.#outbox.remove(id);
    return 0;
  }

  #reportOutage(err: unknown): number {
    this.#logger[this.#outageReported ? "debug" : "warn"](
      { err },
      "outbox cannot be reached: alerts wait",
    );
    this.#outageReported = true;
    return POLL_INTERVAL_MS;
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  // It rejects only when aborted, and then the wait is over too.
  await sleep(ms, undefined, { signal }).catch(() => undefined);
}
