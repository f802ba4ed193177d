import { once } from "node:events";
import type { Redis } from "ioredis";
import { followEvents } from "../../../lib/flag/event-feed.js";
import {
  isRepeatedByFlip,
  type EventKind,
  type LedgerEvent,
} from "../../../lib/flag/ledger-event.js";
import { compareIds } from "../../../lib/redis/stream-entry.js";
import { drawEvent } from "./event-line.js";
import { EXIT, type ExitStatus } from "../exit-status.js";
import type { CommandContext } from "./command-context.js";

export interface EventsOptions {
  limit: number;
  /** Ms since the epoch. */
  since: number | undefined;
  kind: EventKind | undefined;
  json: boolean;
  /** Follows new events until this signal; undefined to print only existing ones. */
  signal: AbortSignal | undefined;
  /** Reports an outage of Redis. */
  warn: (sentence: string) => void;
}

/** `serin events`: prints the newest events, oldest first, then new ones. @throws if Redis is unreachable at the start */
export async function showEvents(
  { link, output }: CommandContext,
  options: EventsOptions,
): Promise<ExitStatus> {
  const { limit, since, kind, signal, warn } = options;
  const { redis, keys, ledger } = await link.open();
  const [newest] = await ledger.readEvents({ limit: 1 });
  // Programs get the cause and its flip, people one line.
  const isShown = (event: LedgerEvent) =>
    kind === undefined
      ? options.json || !isRepeatedByFlip(event)
      : event.kind === kind;
  const after =
    since === undefined ? undefined : String(Math.max(0, since - 1));
  const found = await ledger.readEvents({ limit, after, where: isShown });
  const print = (event: LedgerEvent) => {
    if (!isShown(event)) return;
    if (options.json) output.jsonLine(event);
    else drawEvent(event, Date.now(), output).forEach(output.line);
  };
  // The feed prints events that were added between the two reads.
  const shown =
    newest === undefined
      ? []
      : found.filter(({ id }) => compareIds(id, newest.id) <= 0);
  (signal === undefined ? found : shown).toReversed().forEach(print);
  if (signal === undefined) return EXIT.ok;
  warnOfOutages(redis, signal, warn);
  const stop = await followEvents({
    ...{ redis, keys, onEvent: print },
    after: newest?.id ?? "0-0",
  });
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
    warn("Redis is unreachable: waiting for it");
  });
  redis.on("ready", () => {
    isAway = false;
    warn("Redis is back");
  });
}

/** Keeps the process running until the signal. */
async function untilAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  const hold = setInterval(() => undefined, 60_000);
  await once(signal, "abort");
  clearInterval(hold);
}
