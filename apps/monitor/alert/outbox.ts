import type { Redis } from "ioredis";
import type { Keys } from "../../../lib/redis/keys.js";
import { parseEvent, type LedgerEvent } from "../../../lib/flag/ledger.js";
import { toRecord } from "../../../lib/redis/stream-entry.js";
import type { ChannelName } from "./channels/channel.js";

/** Each channel's consumer group. Its pending entries are those that the channel has claimed. */
const GROUPS: Record<ChannelName, string> = {
  mail: "couriers",
  webhook: "webhooks",
};

/**
 * Removes entries that every channel has delivered. It first claims all new entries for each channel, so that an
 * undelivered entry is always a pending one.
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
  /** As stored, for entries that hold no event. */
  fields: string[];
  event: LedgerEvent | undefined;
}

interface OutboxPlace {
  redis: Redis;
  keys: Keys;
  consumer: string;
  channel: ChannelName;
  /** All that are in use, including this one. */
  channels: readonly ChannelName[];
}

/**
 * The undelivered events of one channel, oldest first. Each channel proceeds at its own pace, and the last one to deliver
 * an entry removes it. All methods throw when Redis is away.
 */
export class Outbox {
  readonly #place: OutboxPlace;

  constructor(place: OutboxPlace) {
    this.#place = place;
  }

  /** The oldest entry, the same until it is removed, whichever consumer claimed it. */
  async next(): Promise<OutboxEntry | undefined> {
    try {
      return await this.#oldest();
    } catch (err) {
      if (!(err instanceof Error && err.message.startsWith("NOGROUP")))
        throw err;
      await this.removeOrphans();
      return await this.#oldest();
    }
  }

  /** Marks the entry as delivered, or given up, by this channel. */
  async remove(id: string): Promise<void> {
    await this.#settle(id, GROUPS[this.#place.channel]);
  }

  /** Creates the groups, and removes entries that only a channel no longer in use has not delivered. */
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

  /** Also takes entries from live consumers, because only the leader delivers. */
  async #claimBegun(): Promise<StreamEntry | undefined> {
    const { redis, keys, consumer, channel } = this.#place;
    const who = [keys.outbox, GROUPS[channel], consumer] as const;
    const reply = await redis.xautoclaim(...who, 0, "-", "COUNT", 1);
    return (reply as [cursor: string, claimed: StreamEntry[]])[1][0];
  }

  async #begin(): Promise<StreamEntry | undefined> {
    const { redis, keys, consumer, channel } = this.#place;
    const who = ["GROUP", GROUPS[channel], consumer, "COUNT", 1] as const;
    const reply = await redis.xreadgroup(...who, "STREAMS", keys.outbox, ">");
    const replies = reply as [key: string, entries: StreamEntry[]][] | null;
    return replies?.[0]?.[1][0];
  }

  async #settle(id: string, done: string): Promise<void> {
    const { redis, keys, consumer, channels } = this.#place;
    const groups = channels.map((name) => GROUPS[name]);
    await redis.eval(SETTLE, 1, keys.outbox, consumer, id, done, ...groups);
  }
}
