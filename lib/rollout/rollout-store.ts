import type { Redis } from "ioredis";
import { FLAG_FUNCTIONS, flagKeys } from "../flag/flag-scripts.js";
import { parseFlag } from "../flag/flag-value.js";
import { MAX_EVENTS, type FlipBy } from "../flag/ledger.js";
import type { Keys } from "../redis/keys.js";
import { execAll } from "../redis/redis.js";
import { encodeRollout, parseRollout, type Reading } from "./rollout.js";
import type { Change } from "./transitions.js";

/** A reading with the rest that was stored at that moment. */
export interface StoredRollout extends Reading {
  /** Ms since the epoch, by Redis's clock. */
  now: number;
  /** The flag's value. */
  flag: boolean;
  /** The weight that the proxies deal, as stored; null if absent. */
  rawWeight: string | null;
}

/** `fenced`: another monitor holds the lease. `conflict`: the rollout or the last flip has changed since it was read. */
export type RolloutOutcome = "changed" | "fenced" | "conflict";

/**
 * KEYS as `flagKeys`
 * ARGV by, reason, at, data, fence or '', last flip's event or '', id, phase and step as read, weight or 'keep' or 'delete',
 *   flag or '', 'mail' or '', data of the superseded rollout or '', 'new' or '', ledger length, fields of the hash …
 */
const APPLY = `${FLAG_FUNCTIONS}
if ARGV[5] ~= '' and redis.call('GET', KEYS[6]) ~= ARGV[5] then return 'fenced' end
if ARGV[6] ~= '' and (redis.call('HGET', KEYS[2], 'event') or 'none') ~= ARGV[6] then return 'conflict' end
local read = redis.call('HMGET', KEYS[7], 'id', 'phase', 'step')
for i = 1, 3 do
  if (read[i] or '') ~= ARGV[6 + i] then return 'conflict' end
end
local length = ARGV[15]
if ARGV[13] ~= '' then
  enter('rollout', {'by', ARGV[1], 'reason', ARGV[2], 'at', ARGV[3], 'data', ARGV[13]}, length)
end
if ARGV[14] == 'new' then redis.call('DEL', KEYS[7]) end
redis.call('HSET', KEYS[7], unpack(ARGV, 16))
if ARGV[10] == 'delete' then redis.call('DEL', KEYS[8])
elseif ARGV[10] ~= 'keep' then redis.call('SET', KEYS[8], ARGV[10]) end
-- To resume twice is no flip; a stop is one, because it may not have been recorded yet.
local flips = ARGV[11] == 'false' or (ARGV[11] == 'true' and (read_flag() == 'false' or redis.call('HGET', KEYS[2], 'value') == 'false'))
local kind = flips and 'flip' or 'rollout'
local data = flips and '{"value":' .. ARGV[11] .. ',' .. string.sub(ARGV[4], 2) or ARGV[4]
local fields = {'by', ARGV[1], 'reason', ARGV[2], 'at', ARGV[3], 'data', data}
local id = enter(kind, fields, length)
if ARGV[11] ~= '' then redis.call('SET', KEYS[1], ARGV[11]) end
if flips then
  describe(ARGV[11], fields, id)
  redis.call('DEL', KEYS[3])
end
if flips or ARGV[12] == 'mail' then mail(kind, fields, id) end
return 'changed'
`;

/**
 * Reads the rollout of a flag, and is its only writer beside the scripts that set the flag to false. Each change is one atomic
 * step: the hash, the weight, the flag and one event. While Redis is unreachable, all methods throw and write nothing.
 */
export class RolloutStore {
  readonly #redis: Redis;
  readonly #keys: Keys;
  readonly #flagName: string;

  constructor(redis: Redis, keys: Keys, flagName: string) {
    this.#redis = redis;
    this.#keys = keys;
    this.#flagName = flagName;
  }

  async read(): Promise<StoredRollout> {
    const { rollout, flagWeight, flag, flagInfo } = this.#keys;
    const [hash, rawWeight, raw, recorded, time] = (await execAll(
      this.#redis
        .pipeline()
        .hgetall(rollout(this.#flagName))
        .get(flagWeight(this.#flagName))
        .get(flag(this.#flagName))
        .hget(flagInfo(this.#flagName), "value")
        .time(),
    )) as [
      Record<string, string>,
      string | null,
      string | null,
      string | null,
      [string, string],
    ];
    const [seconds, micros] = time.map(Number) as [number, number];
    const now = seconds * 1000 + Math.floor(micros / 1000);
    const { value } = parseFlag(raw, recorded !== "false");
    return { ...parseRollout(hash), now, rawWeight, flag: value };
  }

  /** @param cause its reason is the event's: a sentence */
  async apply(
    change: Change,
    cause: {
      by: FlipBy;
      reason: string;
      /** The figures behind it. */
      data?: Record<string, unknown>;
      fence?: string;
      /** Writes nothing unless the last flip has this event id. */
      supersedes?: string;
    },
  ): Promise<RolloutOutcome> {
    const { from, set, weight, flag, event, superseded } = change;
    const named = flagKeys(this.#keys, this.#flagName);
    const flagged = flag === undefined ? {} : { flag: this.#flagName };
    return (await this.#redis.eval(
      APPLY,
      named.length,
      ...named,
      ...[cause.by, cause.reason, new Date().toISOString()],
      JSON.stringify({ ...flagged, ...event, ...cause.data }),
      ...[cause.fence ?? "", cause.supersedes ?? ""],
      ...[from.id, from.phase, from.step],
      weight === undefined ? "keep" : String(weight ?? "delete"),
      ...[String(flag ?? ""), change.notify ? "mail" : ""],
      superseded === undefined ? "" : JSON.stringify(superseded),
      ...[change.isNew ? "new" : "", MAX_EVENTS],
      ...encodeRollout({
        ...set,
        ...{ by: cause.by, reason: cause.reason },
        ...(set.phase === "Aborted" && { outcome: outcomeOf(cause) }),
      }),
    )) as RolloutOutcome;
  }
}

/** The rule that aborted a rollout, or who did. */
function outcomeOf({
  by,
  data,
}: {
  by: FlipBy;
  data?: Record<string, unknown>;
}): string {
  return typeof data?.rule === "string" ? data.rule : by;
}
