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
const MAX_READ = 200;

/**
 * Removes entries that every channel has delivered. It first claims all new entries for each channel, so that an
 * undelivered entry is always a pending one.
 *
 * KEYS outbox
 * ARGV consumer, group that has delivered the entries or '', number of channels, their groups …, entries' ids …; none for all
 */
const SETTLE = `
local outbox, consumer, done, channels = KEYS[1], ARGV[1], ARGV[2], tonumber(ARGV[3])
local ids = {unpack(ARGV, 4 + channels)}
if done ~= '' then redis.call('XACK', outbox, done, unpack(ids)) end
for i = 4, 3 + channels do
  redis.pcall('XGROUP', 'CREATE', outbox, ARGV[i], '0', 'MKSTREAM')
  redis.call('XREADGROUP', 'GROUP', ARGV[i], consumer, 'STREAMS', outbox, '>')
end
local function is_wanted(id)
  for i = 4, 3 + channels do
    local first = redis.call('XAUTOCLAIM', outbox, ARGV[i], consumer, 0, id, 'COUNT', 1)[2][1]
    if first and first[1] == id then return true end
  end
  return false
end
if #ids == 0 then
  for _, entry in ipairs(redis.call('XREVRANGE', outbox, '+', '-')) do ids[#ids + 1] = entry[1] end
end
for _, id in ipairs(ids) do
  if not is_wanted(id) then redis.call('XDEL', outbox, id) end
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
 * The undelivered events of one channel. Each channel proceeds at its own pace, and the last one to deliver an entry removes
 * it. All methods throw when Redis is away.
 */
export class Outbox {
  readonly #place: OutboxPlace;

  constructor(place: OutboxPlace) {
    this.#place = place;
  }

  /** The oldest entries, oldest first, whichever consumer claimed them. */
  async read(): Promise<OutboxEntry[]> {
    try {
      return await this.#readOldest();
    } catch (err) {
      if (!(err instanceof Error && err.message.startsWith("NOGROUP")))
        throw err;
      await this.removeOrphans();
      return await this.#readOldest();
    }
  }

  /** Marks entries as delivered, or given up, by this channel. */
  async remove(ids: readonly string[]): Promise<void> {
    if (ids.length > 0) await this.#settle(GROUPS[this.#place.channel], ids);
  }

  /** Creates the groups, and removes entries that only a channel no longer in use has not delivered. */
  async removeOrphans(): Promise<void> {
    await this.#settle("", []);
  }

  async #readOldest(): Promise<OutboxEntry[]> {
    const begun = await this.#claimBegun();
    const room = MAX_READ - begun.length;
    const entries = room > 0 ? begun.concat(await this.#begin(room)) : begun;
    return entries.map(([id, fields]) => {
      const event = toRecord(fields).event;
      return {
        id,
        fields,
        event: event === undefined ? undefined : parseEvent(event, fields),
      };
    });
  }

  /** Also takes entries from live consumers, because only the leader delivers. */
  async #claimBegun(): Promise<StreamEntry[]> {
    const { redis, keys, consumer, channel } = this.#place;
    const who = [keys.outbox, GROUPS[channel], consumer] as const;
    const reply = await redis.xautoclaim(...who, 0, "-", "COUNT", MAX_READ);
    return (reply as [cursor: string, claimed: StreamEntry[]])[1];
  }

  async #begin(room: number): Promise<StreamEntry[]> {
    const { redis, keys, consumer, channel } = this.#place;
    const who = ["GROUP", GROUPS[channel], consumer, "COUNT", room] as const;
    const reply = await redis.xreadgroup(...who, "STREAMS", keys.outbox, ">");
    const replies = reply as [key: string, entries: StreamEntry[]][] | null;
    return replies?.[0]?.[1] ?? [];
  }

  async #settle(done: string, ids: readonly string[]): Promise<void> {
    const { redis, keys, consumer, channels } = this.#place;
    const groups = channels.map((name) => GROUPS[name]);
    const args = [consumer, done, groups.length, ...groups, ...ids];
    await redis.eval(SETTLE, 1, keys.outbox, ...args);
  }
}
