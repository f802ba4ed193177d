import type { Redis } from "ioredis";
import type { Keys } from "../../lib/keys.js";
import { parseEvent, type LedgerEvent } from "../../lib/ledger.js";
import { toRecord } from "../../lib/stream-entry.js";

const GROUP = "couriers";

type StreamEntry = [id: string, fields: string[]];

export interface OutboxEntry {
  id: string;
  /** As stored, for the entries that hold no event. */
  fields: string[];
  event: LedgerEvent | undefined;
}

/** The mails still to be sent, oldest first. All methods throw when Redis is away. */
export class Outbox {
  readonly #redis: Redis;
  readonly #keys: Keys;
  readonly #consumer: string;

  constructor(options: { redis: Redis; keys: Keys; consumer: string }) {
    this.#redis = options.redis;
    this.#keys = options.keys;
    this.#consumer = options.consumer;
  }

  /** The oldest entry, again and again until it is removed, whoever had begun on it. */
  async next(): Promise<OutboxEntry | undefined> {
    try {
      return await this.#oldest();
    } catch (err) {
      if (!(err instanceof Error && err.message.startsWith("NOGROUP")))
        throw err;
      await this.#createGroup();
      return await this.#oldest();
    }
  }

  async remove(id: string): Promise<void> {
    const replies = await this.#redis
      .multi()
      .xack(this.#keys.outbox, GROUP, id)
      .xdel(this.#keys.outbox, id)
      .exec();
    const failure = replies?.find(([err]) => err !== null)?.[0];
    if (failure) throw failure;
  }

  async count(): Promise<number> {
    return await this.#redis.xlen(this.#keys.outbox);
  }

  async #oldest(): Promise<OutboxEntry | undefined> {
    const entry = (await this.#claimBegun()) ?? (await this.#begin());
    if (entry === undefined) return undefined;
    const [id, fields] = entry;
    const event = toRecord(fields).event;
    return {
      id,
      fields,
      event: event === undefined ? undefined : parseEvent(event, fields),
    };
  }

  /** Also from consumers that still live: only the leader delivers, and whoever asks here leads. */
  async #claimBegun(): Promise<StreamEntry | undefined> {
    const [, claimed] = (await this.#redis.xautoclaim(
      this.#keys.outbox,
      GROUP,
      this.#consumer,
      0,
      "-",
      "COUNT",
      1,
    )) as [cursor: string, claimed: StreamEntry[]];
    return claimed[0];
  }

  async #begin(): Promise<StreamEntry | undefined> {
    const replies = (await this.#redis.xreadgroup(
      "GROUP",
      GROUP,
      this.#consumer,
      "COUNT",
      1,
      "STREAMS",
      this.#keys.outbox,
      ">",
    )) as [key: string, entries: StreamEntry[]][] | null;
    return replies?.[0]?.[1][0];
  }

  async #createGroup(): Promise<void> {
    const { outbox } = this.#keys;
    try {
      await this.#redis.xgroup("CREATE", outbox, GROUP, "0", "MKSTREAM");
    } catch (err) {
      const raced = err instanceof Error && err.message.startsWith("BUSYGROUP");
      if (!raced) throw err;
    }
  }
}
