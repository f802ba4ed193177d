import { once } from "node:events";
import type { Redis } from "ioredis";
import { followEvents } from "../../../lib/flag/event-feed.js";
import type { Keys } from "../../../lib/redis/keys.js";
import {
  Ledger,
  type EventKind,
  type LedgerEvent,
} from "../../../lib/flag/ledger.js";
import { compareIds } from "../../../lib/redis/stream-entry.js";
import { renderEvent } from "./event-line.js";
import { EXIT, type ExitStatus } from "../exit-status.js";
import type { Output } from "../output.js";
import type { RedisLink } from "../sources/redis-link.js";

export interface EventsOptions {
  limit: number;
  kind: EventKind | undefined;
  json: boolean;
  /** Goes on with what is entered until this signal comes; undefined to show what there is. */
  signal: AbortSignal | undefined;
  /** For what is no event: that Redis is away. */
  warn: (sentence: string) => void;
}

/** `serin events`: the newest, oldest of them first, and then what is entered. @throws when Redis is away at the start. */
export async function showEvents(
  { link, keys, output }: { link: RedisLink; keys: Keys; output: Output },
  options: EventsOptions,
): Promise<ExitStatus> {
  const { limit, kind, signal, warn } = options;
  const redis = await link.open();
  const ledger = new Ledger(redis, keys);
  const [newest] = await ledger.readEvents({ limit: 1 });
  const found = limit === 0 ? [] : await ledger.readEvents({ limit, kind });
  const print = (event: LedgerEvent) => {
    if (kind !== undefined && event.kind !== kind) return;
    if (options.json) output.jsonLine(event);
    else output.line(renderEvent(event, Date.now(), output.paint));
  };
  // Of what was entered between the two reads the feed tells.
  const shown =
    newest === undefined
      ? []
      : found.filter(({ id }) => compareIds(id, newest.id) <= 0);
  (signal === undefined ? found : shown).toReversed().forEach(print);
  if (signal === undefined) return EXIT.ok;
  warnOfOutages(redis, signal, warn);
  const after = newest?.id ?? "0-0";
  const stop = await followEvents({ redis, keys, onEvent: print, after });
  await untilAborted(signal);
  await stop();
  return EXIT.ok;
}

function warnOfOutages(
  redis: Redis,
  signal: AbortSignal,
  warn: EventsOptions["warn"],
): void {
  let isAway = false;
  redis.on("close", () => {
    if (isAway || signal.aborted) return;
    isAway = true;
    warn("Redis is away: waiting for it");
  });
  redis.on("ready", () => {
    isAway = false;
    warn("Redis is back");
  });
}

/** Holds the process until then. */
async function untilAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  const hold = setInterval(() => undefined, 60_000);
  await once(signal, "abort");
  clearInterval(hold);
}
