import { setTimeout as sleep } from "node:timers/promises";
import type { Redis } from "ioredis";
import { waitForRedis } from "./redis.js";

/** Well below the reply time-out of a connection. */
const BLOCK_MS = 1000;
const RETRY_MS = 250;
const BATCH = 1000;
const PAGE = 500;

/** The last id that was read from each stream, by the stream's key. */
export type Positions = Record<string, string>;

interface Entry {
  stream: string;
  id: string;
  fields: string[];
}

/**
 * Repeats a blocking read. While Redis is unreachable it waits; after a failure it pauses and retries.
 *
 * @param redis reserved for these reads, and closed with them
 * @param onFailure called for each failed read; the connection logs outages itself
 * @returns a function that ends it
 */
export function follow(
  redis: Redis,
  read: () => Promise<void>,
  onFailure: (err: unknown) => void = () => undefined,
): () => Promise<void> {
  let isClosed = false;
  const run = async () => {
    while (!isClosed) {
      if (!(await waitForRedis(redis, BLOCK_MS))) continue;
      await read().catch(async (err: unknown) => {
        onFailure(err);
        await sleep(RETRY_MS);
      });
    }
  };
  const loop = run();
  return async () => {
    isClosed = true;
    redis.disconnect();
    await loop;
  };
}

/**
 * Reads the entries after `positions`. Without new entries, it waits up to `blockMs`, a second by default.
 *
 * @returns also the last id of each stream that has more entries @throws if Redis is unreachable
 */
export async function readNewer(
  redis: Redis,
  positions: Positions,
  blockMs = BLOCK_MS,
): Promise<{ entries: Entry[]; moreAfter: string[] }> {
  const reply = await redis.xread(
    ...(["COUNT", BATCH, "BLOCK", blockMs, "STREAMS"] as const),
    ...Object.keys(positions),
    ...Object.values(positions),
  );
  const streams = reply ?? [];
  return {
    entries: streams.flatMap(([stream, entries]) =>
      entries.map(([id, fields]) => ({ stream, id, fields })),
    ),
    // A full batch means that more entries wait.
    moreAfter: streams.flatMap(([, entries]) => {
      const [last] = entries.slice(BATCH - 1);
      return last === undefined ? [] : [last[0]];
    }),
  };
}

/** Reads a stream page by page, newest first. @param oldest as XREVRANGE takes it @throws if Redis is unreachable */
export async function* readBackwards(
  redis: Redis,
  stream: string,
  oldest: string,
): AsyncGenerator<[id: string, fields: string[]]> {
  let newest = "+";
  for (;;) {
    const page = await redis.xrevrange(stream, newest, oldest, "COUNT", PAGE);
    yield* page;
    if (page.length < PAGE) return;
    newest = `(${page.at(-1)?.[0] ?? ""}`;
  }
}
