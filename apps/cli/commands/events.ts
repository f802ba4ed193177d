import type { Redis } from "ioredis";
import { EventFeed } from "../../../lib/redis/event-feed.js";
import type { Keys } from "../../../lib/redis/keys.js";
import {
  Ledger,
  type EventKind,
  type LedgerEvent,
} from "../../../lib/flag/ledger.js";
import { renderEvent } from "./event-line.js";
import type { Output } from "../output.js";
import type { RedisLink } from "../sources/redis-link.js";
import { whenAborted } from "../when-aborted.js";

export interface EventsOptions {
  limit: number;
  kind: EventKind | undefined;
  json: boolean;
  follow: boolean;
  /** Ends the following. */
  signal: AbortSignal;
  /** For what is no event: that Redis is away. */
  warn: (sentence: string) => void;
}

/** `serin events`: the newest, oldest of them first, and then what is entered. @throws when Redis is away at the start. */
export async function showEvents(
  link: RedisLink,
  keys: Keys,
  output: Output,
  options: EventsOptions,
): Promise<void> {
  const { limit, kind, follow } = options;
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
      : found.filter(({ id }) => !isLater(id, newest.id));
  (follow ? shown : found).toReversed().forEach(print);
  if (!follow || options.signal.aborted) return;
  warnOfOutages(redis, options);
  const feed = new EventFeed({ redis, keys, onEvent: print });
  await feed.start(newest?.id ?? "0-0");
  await whenAborted(options.signal);
  await feed.close();
}

function warnOfOutages(
  redis: Redis,
  { signal, warn }: Pick<EventsOptions, "signal" | "warn">,
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

/** Whether one stream id is later than another. */
function isLater(a: string, b: string): boolean {
  const [aMs = 0, aSequence = 0] = a.split("-").map(Number);
  const [bMs = 0, bSequence = 0] = b.split("-").map(Number);
  return aMs > bMs || (aMs === bMs && aSequence > bSequence);
}
