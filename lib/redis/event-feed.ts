import { setTimeout as sleep } from "node:timers/promises";
import type { Redis } from "ioredis";
import type { Keys } from "./keys.js";
import { parseEvent, type LedgerEvent } from "../flag/ledger.js";

/** Well below what a connection may owe a reply. */
const BLOCK_MS = 1000;
const RETRY_MS = 250;
const PAGE = 100;

/** Calls back with each event entered in the ledger after its start. If Redis is away it tries until Redis is back. */
export class EventFeed {
  readonly #redis: Redis;
  readonly #keys: Keys;
  readonly #onEvent: (event: LedgerEvent) => void;
  #isClosed = false;
  #reading: Promise<void> | undefined;

  /** The connection becomes the feed's own, since its reads block. */
  constructor(options: {
    redis: Redis;
    keys: Keys;
    onEvent: (event: LedgerEvent) => void;
  }) {
    this.#redis = options.redis;
    this.#keys = options.keys;
    this.#onEvent = options.onEvent;
  }

  /** `after` is an event id: those entered since are told of as well. @throws when Redis is away. */
  async start(after?: string): Promise<void> {
    if (after !== undefined) {
      this.#reading = this.#readFrom(after);
      return;
    }
    const { events } = this.#keys;
    const [newest] = await this.#redis.xrevrange(events, "+", "-", "COUNT", 1);
    this.#reading = this.#readFrom(newest?.[0] ?? "0-0");
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#redis.disconnect();
    await this.#reading;
  }

  async #readFrom(start: string): Promise<void> {
    let last = start;
    while (!this.#isClosed) {
      try {
        for (const [id, fields] of await this.#read(last)) {
          last = id;
          const event = parseEvent(id, fields);
          if (event !== undefined) this.#onEvent(event);
        }
      } catch {
        await sleep(RETRY_MS); // The connection has said why.
      }
    }
  }

  async #read(after: string): Promise<[id: string, fields: string[]][]> {
    const { events } = this.#keys;
    const args = ["COUNT", PAGE, "BLOCK", BLOCK_MS] as const;
    const reply = await this.#redis.xread(...args, "STREAMS", events, after);
    return reply?.[0]?.[1] ?? [];
  }
}
