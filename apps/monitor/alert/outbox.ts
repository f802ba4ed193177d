import type { Redis } from "ioredis";
import type { Keys } from "../../../lib/redis/keys.js";
import { parseEvent, type LedgerEvent } from "../../../lib/flag/ledger.js";
import { toRecord } from "../../../lib/redis/stream-entry.js";
import type { ChannelName } from "./channels/channel.js";

/** Each channel's consumer group, whose pending entries are those it has begun on. */
const GROUPS: Record<ChannelName, string> = {
  mail: "couriers",
  webhook: "webhooks",
};

/**
 * Removes entries that no channel has still to deliver. What a channel has not begun on it begins on here, so that all it
 * has still to deliver is pending and one look tells.
 *
 * KEYS outbox
 * ARGV consumer, entry's id or '' for all, group that has delivered it or '', the groups of all channels …
 */
const SETTLE = `
local outbox, consumer, id, done = KEYS[1], ARGV[1], ARGV[2], ARGV[3]
if done ~= '' then redis.call('XACK', outbox, done, id) end
for i = 4, #ARGV do
  redis.pcall('XGROUP', 'CREATE', outbox, ARGV[i], '0', 'MKSTREAM')
  redis.call('XREADGROUP', 'GROUP', ARGV[i], consumer, 'STREAMS', outbox, '>')
end
local function is_wanted(entry)
  for i = 4, #ARGV do
    local first = redis.call('XAUTOCLAIM', outbox, ARGV[i], consumer, 0, entry, 'COUNT', 1)[2][1]
    if first and first[1] == entry then return true end
  end
  return false
end
local entries = id == '' and redis.call('XREVRANGE', outbox, '+', '-') or {{id}}
for _, entry in ipairs(entries) do
  if not is_wanted(entry[1]) then redis.call('XDEL', outbox, entry[1]) end
end
`;

type StreamEntry = [id: string, fields: string[]];

export interface OutboxEntry {
  id: string;
  /** As stored, for the entries that hold no event. */
  fields: string[];
  event: LedgerEvent | undefined;
}

/**
 * The events still to be told, oldest first, as one channel sees them: each channel goes through them at its own pace, and
 * the last one to deliver an entry removes it. All methods throw when Redis is away.
 */
export class Outbox {
  readonly #redis: Redis;
  readonly #keys: Keys;
  readonly #consumer: string;
  readonly #group: string;
  readonly #allGroups: string[];

  constructor(options: {
    redis: Redis;
    keys: Keys;
    consumer: string;
    channel: ChannelName;
    /** All that are in use, this one among them. */
    channels: readonly ChannelName[];
  }) {
    this.#redis = options.redis;
    this.#keys = options.keys;
    this.#consumer = options.consumer;
    this.#group = GROUPS[options.channel];
    this.#allGroups = options.channels.map((name) => GROUPS[name]);
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

  /** This channel has delivered the entry, or never will. */
  async remove(id: string): Promise<void> {
    await this.#settle(id, this.#group);
  }

  /** Removes what only a channel that is no longer in use had still to deliver. */
  async removeOrphans(): Promise<void> {
    await this.#settle("", "");
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
      this.#group,
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
      this.#group,
      this.#consumer,
      "COUNT",
      1,
      "STREAMS",
      this.#keys.outbox,
      ">",
    )) as [key: string, entries: StreamEntry[]][] | null;
    return replies?.[0]?.[1][0];
  }

  async #settle(id: string, done: string): Promise<void> {
    const args = [this.#consumer, id, done, ...this.#allGroups];
    await this.#redis.eval(SETTLE, 1, this.#keys.outbox, ...args);
  }

  async #createGroup(): Promise<void> {
    const { outbox } = this.#keys;
    try {
      await this.#redis.xgroup("CREATE", outbox, this.#group, "0", "MKSTREAM");
    } catch (err) {
      const raced = err instanceof Error && err.message.startsWith("BUSYGROUP");
      if (!raced) throw err;
    }
  }
}
