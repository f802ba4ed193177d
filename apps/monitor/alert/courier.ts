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
  BusyError,
  RefusedError,
  type Channel,
  type ChannelName,
} from "./channels/channel.js";
import type { Background } from "./message/report.js";
import { pickBatch } from "./batch.js";
import { Outbox, type OutboxEntry } from "./outbox.js";

const POLL_INTERVAL_MS = 200;
const RETRY_LIMITS: BackOffLimits = { firstMs: 1000, maxMs: 60_000 };
/** A refusal may be temporary. With the usual back-off, five take about ten seconds. */
const MAX_REFUSALS = 5;
/** How long a stop waits for a message in flight. */
const STOP_GRACE_MS = 3000;
const MAX_LOGGED_CHARACTERS = 500;

/** Since the start. */
export interface CourierTotals {
  channel: ChannelName;
  sent: number;
  failures: number;
  /** Given up after repeated refusals. */
  putAside: number;
}

interface CourierParts {
  /** May be shared: the courier makes no blocking calls. */
  redis: Redis;
  keys: Keys;
  ledger: Pick<Ledger, "record">;
  /** The name of this monitor, the same after a restart. */
  consumer: string;
  channel: Channel;
  /** All that are in use, including this one. */
  channels: readonly ChannelName[];
  /** @throws when Redis is away */
  readBackground: (event: LedgerEvent) => Promise<Background>;
  logger: Logger;
  retryLimits?: BackOffLimits;
  /** How long alerts of one kind wait for each other. */
  groupMs: number;
}

/**
 * If a channel is down, its messages wait in the outbox, in order. Flips and other channels do not wait for them.
 *
 * Between `start` and `stop` it sends the outbox's events, one message at a time, oldest first, and only while the lease has
 * the fence's exact value. Alerts of one kind become one message. It retries each message until the channel accepts it, and
 * only then removes its events. An event is sent twice only if the process dies in between, or the answer is lost. An event
 * that is refused repeatedly would block those behind it: it is put aside and reported in the ledger.
 */
export class Courier {
  readonly #parts: CourierParts;
  readonly #outbox: Outbox;
  readonly #totals: CourierTotals;
  #stopping = new AbortController();
  #run: Promise<void> = Promise.resolve();
  /** The entries that the channel has accepted but Redis may still hold: they are not sent again. */
  #taken: readonly string[] = [];
  #failures = 0;
  /** Of the oldest event. */
  #refusals = 0;
  #mayHaveOrphans = true;
  #outageReported = false;
  #lastError: string | null = null;

  constructor(parts: CourierParts) {
    const { name } = parts.channel;
    this.#parts = parts;
    this.#outbox = new Outbox({ ...parts, channel: name });
    this.#totals = { channel: name, sent: 0, failures: 0, putAside: 0 };
  }

  get totals(): Readonly<CourierTotals> {
    return this.#totals;
  }

  /** Why the oldest event could not be sent; undefined if nothing failed, or another monitor leads. */
  get held(): HeldChannel | undefined {
    return this.#lastError === null
      ? undefined
      : { channel: this.#parts.channel.name, error: this.#lastError };
  }

  /** Delivers until `stop`, whenever the lease's stored value is `fence`. */
  start(fence: string): void {
    this.#stopping.abort();
    const stopping = new AbortController();
    this.#stopping = stopping;
    // Two concurrent runs would send an event twice.
    this.#run = this.#run.then(() => this.#deliver(fence, stopping.signal));
  }

  /** Starts no further send, and waits up to three seconds for the one in flight. May be called twice. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    const grace = sleep(STOP_GRACE_MS, undefined, { ref: false });
    await Promise.race([this.#run, grace]);
  }

  async #deliver(fence: string, signal: AbortSignal): Promise<void> {
    this.#failures = 0;
    // Another monitor may have led meanwhile, and delivered the event.
    this.#refusals = 0;
    this.#mayHaveOrphans = true;
    while (!signal.aborted) {
      const waitMs = await this.#deliverNext(fence, signal).catch(
        (err: unknown) => this.#reportOutage(err),
      );
      await pause(waitMs, signal);
    }
    // From here on the next leader reports failures.
    this.#lastError = null;
  }

  /** @returns the wait before the next call. @throws when Redis is away */
  async #deliverNext(fence: string, signal: AbortSignal): Promise<number> {
    await this.#removeTaken();
    const leads =
      (await this.#parts.redis.get(this.#parts.keys.lease)) === fence;
    if (leads && this.#mayHaveOrphans) await this.#outbox.removeOrphans();
    this.#mayHaveOrphans = !leads && this.#mayHaveOrphans;
    const batch = leads ? await this.#readBatch() : [];
    this.#outageReported = false;
    const [entry] = batch;
    if (entry === undefined || signal.aborted) return POLL_INTERVAL_MS;
    const [event, ...others] = batch.flatMap((one) => one.event ?? []);
    if (event === undefined) return await this.#discard(entry);
    const background = await this.#parts.readBackground(event);
    const ids = batch.map(({ id }) => id);
    try {
      await this.#parts.channel.send({ event, others, background });
    } catch (err) {
      const waitMs = this.#putOff(event, err);
      if (this.#refusals < MAX_REFUSALS) return waitMs;
      return await this.#putAside(ids, event, fence);
    }
    this.#taken = ids;
    this.#noteSent(event, ids.length);
    await this.#removeTaken();
    return 0;
  }

  async #readBatch(): Promise<OutboxEntry[]> {
    const entries = await this.#outbox.read();
    if (entries.length === 0) return [];
    const [seconds, micros] = await this.#parts.redis.time();
    const now = Number(seconds) * 1000 + Number(micros) / 1000;
    return pickBatch(entries, this.#parts.groupMs, now);
  }

  async #removeTaken(): Promise<void> {
    await this.#outbox.remove(this.#taken);
    this.#taken = [];
  }

  #noteSent(event: LedgerEvent, count: number): void {
    this.#failures = 0;
    this.#refusals = 0;
    this.#totals.sent += count;
    this.#lastError = null;
    const { name } = this.#parts.channel;
    this.#parts.logger.info(
      { event: event.id, kind: event.kind, events: count },
      `${name} sent`,
    );
  }

  /** Warns once of a repeated failure. @returns the wait before the next try */
  #putOff(event: LedgerEvent, err: unknown): number {
    this.#failures += 1;
    this.#totals.failures += 1;
    if (err instanceof RefusedError) this.#refusals += 1;
    const { retryLimits = RETRY_LIMITS } = this.#parts;
    const backOff = backOffMs(this.#failures, retryLimits, Math.random());
    const pauseMs = err instanceof BusyError ? err.retryAfterMs : 0;
    const retryInMs = Math.round(Math.max(backOff, pauseMs));
    const error = err instanceof Error ? err.message : String(err);
    this.#parts.logger[error === this.#lastError ? "debug" : "warn"](
      {
        event: event.id,
        kind: event.kind,
        failures: this.#failures,
        retryInMs,
        // Only the message: a mail library's error may hold secrets.
        error,
      },
      `${this.#parts.channel.name} could not be sent and waits in the outbox`,
    );
    this.#lastError = error;
    return retryInMs;
  }

  /** @throws when Redis is away: the next refusal then repeats it */
  async #putAside(
    ids: readonly string[],
    event: LedgerEvent,
    fence: string,
  ): Promise<number> {
    const { name } = this.#parts.channel;
    const error = this.#lastError ?? "";
    const reason = `the ${name} about event ${event.id} (${event.reason}) was refused ${this.#refusals} times and is put aside: ${error}`;
    const data = { alert: "refused", channel: name, event: event.id, error };
    const outcome = await this.#parts.ledger.record(
      { kind: "alert", by: "monitor", reason, data },
      { fence },
    );
    if (outcome === "fenced") return POLL_INTERVAL_MS;
    await this.#outbox.remove(ids);
    this.#parts.logger.error(
      data,
      `${name} put aside: it was refused for good`,
    );
    this.#totals.putAside += ids.length;
    this.#failures = 0;
    this.#refusals = 0;
    this.#lastError = null;
    return 0;
  }

  /** An unreadable entry would block all those behind it. */
  async #discard({ id, fields }: OutboxEntry): Promise<number> {
    const content = JSON.stringify(fields).slice(0, MAX_LOGGED_CHARACTERS);
    this.#parts.logger.warn(
      { id, content },
      "outbox entry is no event: removed",
    );
    await this.#outbox.remove([id]);
    return 0;
  }

  #reportOutage(err: unknown): number {
    this.#parts.logger[this.#outageReported ? "debug" : "warn"](
      { err },
      "outbox cannot be reached: alerts wait",
    );
    this.#outageReported = true;
    return POLL_INTERVAL_MS;
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  // It rejects only when aborted, which also ends the wait.
  await sleep(ms, undefined, { signal }).catch(() => undefined);
}
