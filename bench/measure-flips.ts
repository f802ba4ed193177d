import { monotonicMs } from "../test/support/system/monotonic.js";
import type { System } from "../test/support/system/system.js";
import { waitFor } from "../test/support/wait-for.js";
import { round, spreadOf, type Spread } from "./statistics.js";
import {
  NEVER_BREACH,
  underLoad,
  withSystem,
  type LoadCounts,
} from "./with-system.js";

const CONNECTIONS = 64;
/** With 64 connections about 600 requests a second. */
const PAUSE_MS = 100;
/** Answers after which every request that was under way at the flip has ended, and many more have come. */
const ANSWERS_AFTER = 4 * CONNECTIONS;
const CANARY_STARTS_BEFORE = 32;
const WARM_UP_ANSWERS = 1000;
const PATIENCE_MS = 30_000;

export interface FlipFigures {
  flips: number;
  connections: number;
  pauseMs: number;
  requestsPerSecond: number;
  /** Ms from the SET's sending, and from its reply, to the last request start at the canary; 0 when it was before. */
  fromSending: Spread;
  fromReply: Spread;
  /** Canary requests that started after the SET's reply had arrived. */
  startsAfterReply: Spread;
  failures: number;
}

/**
 * How long a canary still gets new requests once the flag was set to false in Redis, with the proxy under load: at a
 * steady pace, and with the machine saturated, where waiting for a core counts for more than anything else.
 */
export async function measureFlips(
  flips: number,
): Promise<{ paced: FlipFigures; saturated: FlipFigures }> {
  return await withSystem({ env: NEVER_BREACH }, async (system) => ({
    paced: await measureUnder(system, { pauseMs: PAUSE_MS, flips }),
    saturated: await measureUnder(system, { pauseMs: 0, flips }),
  }));
}

async function measureUnder(
  system: System,
  { pauseMs, flips }: { pauseMs: number; flips: number },
): Promise<FlipFigures> {
  const load = { connections: CONNECTIONS, pauseMs };
  return await underLoad(system, load, async (readCounts) => {
    await waitFor(
      "the load to run",
      async () => (await readCounts()).answers > WARM_UP_ANSWERS,
      PATIENCE_MS,
    );
    const before = { ...(await readCounts()), at: monotonicMs() };
    const samples: FlipSample[] = [];
    while (samples.length < flips)
      samples.push(await flipOnce(system, readCounts));
    const after = { ...(await readCounts()), at: monotonicMs() };
    const seconds = (after.at - before.at) / 1000;
    return {
      flips,
      ...load,
      requestsPerSecond: round((after.answers - before.answers) / seconds),
      fromSending: spreadOf(samples.map((sample) => sample.fromSendingMs)),
      fromReply: spreadOf(samples.map((sample) => sample.fromReplyMs)),
      startsAfterReply: spreadOf(samples.map((sample) => sample.late)),
      failures: after.failures,
    };
  });
}

interface FlipSample {
  fromSendingMs: number;
  fromReplyMs: number;
  late: number;
}

async function flipOnce(
  system: System,
  readCounts: () => Promise<LoadCounts>,
): Promise<FlipSample> {
  const { redis, keys, canaryApp } = system;
  const flag = keys.flag("feature");
  const known = (await canaryApp.requestStarts()).length;
  await waitFor(
    "canary requests",
    async () =>
      (await canaryApp.requestStarts()).length >= known + CANARY_STARTS_BEFORE,
    PATIENCE_MS,
  );

  const sentAt = monotonicMs();
  await redis.set(flag, "false");
  const repliedAt = monotonicMs();
  const { answers } = await readCounts();
  await waitFor(
    "the load to go on",
    async () => (await readCounts()).answers > answers + ANSWERS_AFTER,
    PATIENCE_MS,
  );
  const starts = await canaryApp.requestStarts();
  const lastStartAt = starts.at(-1)?.atMs ?? NaN;
  await redis.set(flag, "true");
  return {
    fromSendingMs: Math.max(0, lastStartAt - sentAt),
    fromReplyMs: Math.max(0, lastStartAt - repliedAt),
    late: starts.filter(({ atMs }) => atMs > repliedAt).length,
  };
}
