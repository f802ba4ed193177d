import type { Redis } from "ioredis";
import * as z from "zod";
import { parseFlag } from "./flag-watch.js";
import type { Keys } from "../redis/keys.js";
import {
  EVENT_KINDS,
  type EventKind,
  type LedgerEvent,
} from "./ledger-event.js";
import { readBackwards } from "../redis/stream-follower.js";
import { parseJson, toRecord } from "../redis/stream-entry.js";

const MAX_EVENTS = 10_000;

export { EVENT_KINDS, type EventKind, type LedgerEvent };

const event: z.ZodType<LedgerEvent> = z.object({
  id: z.string(),
  kind: z.enum(EVENT_KINDS),
  by: z.string(),
  reason: z.string(),
  at: z.string(),
  data: z.record(z.string(), z.unknown()),
});

export type NewEvent = Omit<LedgerEvent, "id" | "at">;

export type FlipBy = "monitor" | "operator" | "proxy" | "deploy";

export interface Flip {
  value: boolean;
  by: FlipBy;
  reason: string;
  /** The figures behind it. */
  data: Record<string, unknown>;
  /** What a rule saw, written to the ledger in the same step: a breach or a recovery. */
  cause?: "breach" | "recovery";
  /** The monitor's cool-down (JSON) that goes with its own flip; any other flip ends it. */
  recovery?: string;
  /** The lease's exact value that must still stand, or nothing is written. */
  fence?: string;
  /** The value that must stand before, or nothing is written. */
  expect?: boolean;
  /** The event id of the flip that must still be the last one, or nothing is written. */
  supersedes?: string;
}

/**
 * `changed`: flipped. `held`: an operator took over a `false` that somebody else had set. `fenced`: the lease is
 * another's. `conflict`: the value, or the last flip, was not the one expected.
 */
export type FlipOutcome =
  "changed" | "unchanged" | "held" | "fenced" | "conflict";

/** What the scripts about the flag have in common. KEYS flag, info, recovery, events, outbox, lease */
const FLAG_FUNCTIONS = `
local function read_flag()
  local raw = redis.call('GET', KEYS[1])
  return (raw == false or raw == 'true') and 'true' or 'false'
end
local function enter(kind, fields, length)
  return redis.call('XADD', KEYS[4], 'MAXLEN', '~', length, '*', 'kind', kind, unpack(fields))
end
local function describe(value, fields, id)
  redis.call('HSET', KEYS[2], 'value', value, 'event', id, unpack(fields, 1, 6))
end
local function mail(fields, id)
  redis.call('XADD', KEYS[5], '*', 'event', id, 'kind', 'flip', unpack(fields))
end
`;

/**
 * KEYS flag, info, recovery, events, outbox, lease
 * ARGV value, by, reason, at, data, cause or '', recovery or '', fence or '', ledger length, value expected or '',
 *   last flip's event or ''
 */
const FLIP = `${FLAG_FUNCTIONS}
if ARGV[8] ~= '' and redis.call('GET', KEYS[6]) ~= ARGV[8] then return 'fenced' end
local current = read_flag()
if ARGV[10] ~= '' and current ~= ARGV[10] then return 'conflict' end
if ARGV[11] ~= '' and redis.call('HGET', KEYS[2], 'event') ~= ARGV[11] then return 'conflict' end
local changed = current ~= ARGV[1]
local held = not changed and ARGV[2] == 'operator' and ARGV[1] == 'false' and redis.call('HGET', KEYS[2], 'by') ~= 'operator'
if not changed and not held then return 'unchanged' end
local fields = {'by', ARGV[2], 'reason', ARGV[3], 'at', ARGV[4], 'data', ARGV[5]}
if ARGV[6] ~= '' then enter(ARGV[6], fields, ARGV[9]) end
local id = enter('flip', fields, ARGV[9])
redis.call('SET', KEYS[1], ARGV[1])
describe(ARGV[1], fields, id)
if ARGV[7] == '' then redis.call('DEL', KEYS[3]) else redis.call('SET', KEYS[3], ARGV[7]) end
if held then return 'held' end
mail(fields, id)
return 'changed'
`;

/**
 * KEYS flag, info, recovery, events, outbox, lease
 * ARGV value seen, reason, at, data, fence, ledger length
 */
const ADOPT = `${FLAG_FUNCTIONS}
if redis.call('GET', KEYS[6]) ~= ARGV[5] then return 'fenced' end
local recorded = redis.call('HGET', KEYS[2], 'value') or 'true'
if read_flag() ~= ARGV[1] or recorded == ARGV[1] then return 'unchanged' end
local fields = {'by', 'operator', 'reason', ARGV[2], 'at', ARGV[3], 'data', ARGV[4]}
local id = enter('flip', fields, ARGV[6])
describe(ARGV[1], fields, id)
redis.call('DEL', KEYS[3])
mail(fields, id)
return 'changed'
`;

/**
 * KEYS events, outbox, alerts, lease
 * ARGV kind, by, reason, at, data, fence or '', 'mail' or '', 'raise' or 'clear' or '', alert id, ledger length
 */
const RECORD = `
if ARGV[6] ~= '' and redis.call('GET', KEYS[4]) ~= ARGV[6] then return 'fenced' end
if ARGV[8] == 'raise' and redis.call('HSETNX', KEYS[3], ARGV[9], ARGV[4]) == 0 then return 'unchanged' end
if ARGV[8] == 'clear' and redis.call('HDEL', KEYS[3], ARGV[9]) == 0 then return 'unchanged' end
local fields = {'kind', ARGV[1], 'by', ARGV[2], 'reason', ARGV[3], 'at', ARGV[4], 'data', ARGV[5]}
local id = redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[10], '*', unpack(fields))
if ARGV[7] == 'mail' then redis.call('XADD', KEYS[2], '*', 'event', id, unpack(fields)) end
return 'changed'
`;

/**
 * Everything written about the flag and the ledger. Each write is one atomic step, so two writers that see the same
 * thing make one flip, one event and one mail. All methods throw when Redis is away, and then have written nothing.
 */
export class Ledger {
  readonly #redis: Redis;
  readonly #keys: Keys;

  constructor(redis: Redis, keys: Keys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  async flip(flagName: string, flip: Flip): Promise<FlipOutcome> {
    const args = [
      String(flip.value),
      flip.by,
      flip.reason,
      new Date().toISOString(),
      JSON.stringify({ flag: flagName, value: flip.value, ...flip.data }),
      flip.cause ?? "",
      flip.recovery ?? "",
      flip.fence ?? "",
      MAX_EVENTS,
      flip.expect === undefined ? "" : String(flip.expect),
      flip.supersedes ?? "",
    ];
    return (await this.#redis.eval(
      FLIP,
      6,
      ...this.#flipKeys(flagName),
      ...args,
    )) as FlipOutcome;
  }

  /** Enters a value that someone set directly in Redis as an operator's flip. */
  async adopt(
    flagName: string,
    seen: { value: boolean; reason: string; fence: string },
  ): Promise<FlipOutcome> {
    const data = JSON.stringify({
      flag: flagName,
      value: seen.value,
      direct: true,
    });
    const args = [
      String(seen.value),
      seen.reason,
      new Date().toISOString(),
      data,
      seen.fence,
      MAX_EVENTS,
    ];
    return (await this.#redis.eval(
      ADOPT,
      6,
      ...this.#flipKeys(flagName),
      ...args,
    )) as FlipOutcome;
  }

  /** Appends an event; with `alert` only if that changes whether the alert with this id is raised. */
  async record(
    entry: NewEvent,
    options: {
      mail?: boolean;
      fence?: string;
      alert?: { id: string; op: "raise" | "clear" };
    } = {},
  ): Promise<"changed" | "unchanged" | "fenced"> {
    const keys = [
      this.#keys.events,
      this.#keys.outbox,
      this.#keys.alerts,
      this.#keys.lease,
    ];
    const args = [
      entry.kind,
      entry.by,
      entry.reason,
      new Date().toISOString(),
      JSON.stringify(entry.data),
      options.fence ?? "",
      options.mail === true ? "mail" : "",
      options.alert?.op ?? "",
      options.alert?.id ?? "",
      MAX_EVENTS,
    ];
    return (await this.#redis.eval(RECORD, 4, ...keys, ...args)) as
      "changed" | "unchanged" | "fenced";
  }

  /** Sets the flag to what it is not. @throws when others keep flipping it meanwhile. */
  async toggle(
    flagName: string,
    flip: Pick<Flip, "by" | "reason" | "data">,
  ): Promise<boolean> {
    for (let tries = 0; tries < 5; tries++) {
      const { value } = parseFlag(
        await this.#redis.get(this.#keys.flag(flagName)),
      );
      const outcome = await this.flip(flagName, {
        ...flip,
        value: !value,
        expect: value,
      });
      if (outcome === "changed") return !value;
    }
    throw new Error(`${flagName} was not toggled: others keep flipping it`);
  }

  /** Newest first; `after` is an event id, exclusive. Entries that are no events are left out. */
  async readEvents(query: {
    limit: number;
    kind?: EventKind | undefined;
    after?: string | undefined;
  }): Promise<LedgerEvent[]> {
    const oldest = query.after === undefined ? "-" : `(${query.after}`;
    const found: LedgerEvent[] = [];
    if (query.limit === 0) return found;
    const entries = readBackwards(this.#redis, this.#keys.events, oldest);
    for await (const entry of entries) {
      const parsed = parseEvent(...entry);
      if (parsed === undefined) continue;
      if (query.kind === undefined || query.kind === parsed.kind)
        found.push(parsed);
      if (found.length === query.limit) break;
    }
    return found;
  }

  /** Undefined when there is no such event, or no longer. */
  async readEvent(id: string): Promise<LedgerEvent | undefined> {
    const [entry] = await this.#redis.xrevrange(this.#keys.events, id, id);
    return entry && parseEvent(...entry);
  }

  #flipKeys(flagName: string): string[] {
    const { flag, flagInfo, recovery, events, outbox, lease } = this.#keys;
    return [
      flag(flagName),
      flagInfo(flagName),
      recovery(flagName),
      events,
      outbox,
      lease,
    ];
  }
}

/** Undefined for an entry that is not an event. `fields` is a stream entry's flat field list. */
export function parseEvent(
  id: string,
  fields: readonly string[],
): LedgerEvent | undefined {
  const record = toRecord(fields);
  const parsed = event.safeParse({
    ...record,
    id,
    data: parseJson(record.data),
  });
  return parsed.success ? parsed.data : undefined;
}
