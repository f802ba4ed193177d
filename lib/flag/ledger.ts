import type { Redis } from "ioredis";
import * as z from "zod";
import { ADOPT, FLIP, flagKeys, RESTORE } from "./flag-scripts.js";
import { parseFlag } from "./flag-value.js";
import type { Keys } from "../redis/keys.js";
import {
  EVENT_KINDS,
  type EventKind,
  type LedgerEvent,
} from "./ledger-event.js";
import { readBackwards } from "../redis/stream-follower.js";
import { parseJson, toRecord } from "../redis/stream-entry.js";

export const MAX_EVENTS = 10_000;

export { EVENT_KINDS, type EventKind, type LedgerEvent };

export const ledgerEvent: z.ZodType<LedgerEvent> = z.object({
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
  /** The figures that led to it. */
  data: Record<string, unknown>;
  /** Kind of an event with the same reason, recorded in the same step before the flip. */
  cause?: "breach" | "recovery";
  /** The cool-down (JSON) that the monitor sets with its own flip. Any other flip ends it. */
  recovery?: string;
  /** Writes nothing unless the lease still has exactly this value. */
  fence?: string;
  /** Writes nothing unless the flag has this value. */
  expect?: boolean;
  /** Writes nothing unless the last flip has this event id, or `none` if there was none. */
  supersedes?: string;
  /** The flag does not let the canary in: no mail is sent, and the flag has no value before it is set. */
  isFurther?: boolean;
}

interface FencedValue {
  value: boolean;
  reason: string;
  fence: string;
}

/**
 * `changed`: flipped. `held`: an operator took over a `false` that another program had set. `fenced`: another monitor holds
 * the lease. `conflict`: the value or the last flip was not the expected one.
 */
export type FlipOutcome =
  "changed" | "unchanged" | "held" | "fenced" | "conflict";

/**
 * KEYS recovery, info, lease
 * ARGV recovery, fence, event of the last flip
 */
const NOTE_RECOVERY = `
if redis.call('GET', KEYS[3]) ~= ARGV[2] then return 'fenced' end
if redis.call('HGET', KEYS[2], 'event') ~= ARGV[3] then return 'conflict' end
redis.call('SET', KEYS[1], ARGV[1])
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
 * The only writer of the flag and the ledger. Each write is one atomic script, so two writers with the same finding cause one
 * flip, one event and one mail. While Redis is unreachable, all methods throw and write nothing.
 */
export class Ledger {
  readonly #redis: Redis;
  readonly #keys: Keys;

  constructor(redis: Redis, keys: Keys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  async flip(flagName: string, flip: Flip): Promise<FlipOutcome> {
    const named = flagKeys(this.#keys, flagName);
    return (await this.#redis.eval(
      FLIP,
      named.length,
      ...named,
      String(flip.value),
      flip.by,
      flip.reason,
      new Date().toISOString(),
      JSON.stringify({ flag: flagName, value: flip.value, ...flip.data }),
      flip.cause ?? "",
      flip.recovery ?? "",
      flip.fence ?? "",
      MAX_EVENTS,
      String(flip.expect ?? ""),
      flip.supersedes ?? "",
      flip.isFurther === true ? "further" : "",
    )) as FlipOutcome;
  }

  /** Records a value that was set directly in Redis as an operator's flip. */
  adopt(flagName: string, seen: FencedValue): Promise<FlipOutcome> {
    return this.#writeFenced(ADOPT, flagName, seen, { direct: true });
  }

  /** Writes back the last known value of a flag that Redis has lost, if it is still absent. */
  restore(flagName: string, known: FencedValue): Promise<FlipOutcome> {
    return this.#writeFenced(RESTORE, flagName, known, { restored: true });
  }

  async #writeFenced(
    script: string,
    flagName: string,
    { value, reason, fence }: FencedValue,
    data: object,
  ): Promise<FlipOutcome> {
    const named = flagKeys(this.#keys, flagName);
    return (await this.#redis.eval(
      script,
      named.length,
      ...named,
      String(value),
      reason,
      new Date().toISOString(),
      JSON.stringify({ flag: flagName, value, ...data }),
      fence,
      MAX_EVENTS,
    )) as FlipOutcome;
  }

  /** Stores what the monitor knows about another program's last flip. */
  async noteRecovery(
    flagName: string,
    noted: { recovery: string; fence: string; flip: string },
  ): Promise<"changed" | "fenced" | "conflict"> {
    const { recovery, flagInfo, lease } = this.#keys;
    return (await this.#redis.eval(
      NOTE_RECOVERY,
      3,
      ...[recovery(flagName), flagInfo(flagName), lease],
      ...[noted.recovery, noted.fence, noted.flip],
    )) as "changed" | "fenced" | "conflict";
  }

  /** Appends an event. With `alert`, it does so only if this raises or clears the alert. */
  async record(
    entry: NewEvent,
    options: {
      mail?: boolean;
      fence?: string;
      alert?: { id: string; op: "raise" | "clear" };
    } = {},
  ): Promise<"changed" | "unchanged" | "fenced"> {
    const { events, outbox, alerts, lease } = this.#keys;
    return (await this.#redis.eval(
      RECORD,
      4,
      ...[events, outbox, alerts, lease],
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
    )) as "changed" | "unchanged" | "fenced";
  }

  /** Inverts the flag. @throws if other writers flip it at the same time, five times in a row */
  async toggle(
    flagName: string,
    flip: Pick<Flip, "by" | "reason" | "data">,
  ): Promise<boolean> {
    for (let tries = 0; tries < 5; tries++) {
      const [raw, recorded] = await Promise.all([
        this.#redis.get(this.#keys.flag(flagName)),
        this.#redis.hget(this.#keys.flagInfo(flagName), "value"),
      ]);
      const { value } = parseFlag(raw, recorded !== "false");
      const outcome = await this.flip(flagName, {
        ...flip,
        value: !value,
        expect: value,
      });
      if (outcome === "changed") return !value;
    }
    throw new Error(`${flagName} was not toggled: others keep flipping it`);
  }

  /** Newest first, back to the event `after` (exclusive). Skips malformed entries. */
  async readEvents(query: {
    limit: number;
    kind?: EventKind | undefined;
    after?: string | undefined;
    where?: (event: LedgerEvent) => boolean;
  }): Promise<LedgerEvent[]> {
    const oldest = query.after === undefined ? "-" : `(${query.after}`;
    const found: LedgerEvent[] = [];
    if (query.limit === 0) return found;
    const entries = readBackwards(this.#redis, this.#keys.events, oldest);
    for await (const entry of entries) {
      const parsed = parseEvent(...entry);
      if (parsed === undefined) continue;
      if (query.kind !== undefined && query.kind !== parsed.kind) continue;
      if (query.where?.(parsed) ?? true) found.push(parsed);
      if (found.length === query.limit) break;
    }
    return found;
  }

  /** Undefined if the ledger has no such event. */
  async readEvent(id: string): Promise<LedgerEvent | undefined> {
    const [entry] = await this.#redis.xrevrange(this.#keys.events, id, id);
    return entry && parseEvent(...entry);
  }
}

/** Undefined for a malformed entry. @param fields the flat field list of a stream entry */
export function parseEvent(
  id: string,
  fields: readonly string[],
): LedgerEvent | undefined {
  const record = toRecord(fields);
  const parsed = ledgerEvent.safeParse({
    ...record,
    id,
    data: parseJson(record.data),
  });
  return parsed.success ? parsed.data : undefined;
}
