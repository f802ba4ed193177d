import {
  StreamReader,
  type StreamListener,
} from "../../../apps/monitor/telemetry/stream-reader.js";
import type { Keys } from "../../../lib/redis/keys.js";
import type { LedgerEvent } from "../../../lib/flag/ledger.js";
import { createRedis } from "../../../lib/redis/redis.js";
import type { Telemetry } from "../../../lib/telemetry/telemetry.js";
import { onCleanup } from "../cleanup.js";
import { createMemoryLogger, type LogLine } from "../logger.js";
import { redisUrl } from "../redis/redis-server.js";

/** The calls of a reader. */
export interface Reading {
  reader: StreamReader;
  telemetry: { telemetry: Telemetry; atMs: number }[];
  events: { event: LedgerEvent; atMs: number; isNew: boolean }[];
  /** Each catch-up: until when, since when, and how many entries it had delivered. */
  caughtUp: { heardUntil: number; listeningSince: number; told: number }[];
  /** Each gap, as the number of catch-ups before it. */
  gaps: number[];
  /** The reason of each. */
  reasons: string[];
  log: LogLine[];
}

/** Reads until the test ends. */
export function startReading(
  keys: Keys,
  options: {
    url?: string;
    replyTimeoutMs?: number;
    /** Redis's clock, in ms since the epoch (default: the real one). */
    redisNow?: () => number;
    startedAt?: number;
  } = {},
): Reading {
  const logger = createMemoryLogger();
  const heard: Omit<Reading, "reader" | "log"> = {
    telemetry: [],
    events: [],
    caughtUp: [],
    gaps: [],
    reasons: [],
  };
  const { telemetry, events, caughtUp, gaps, reasons } = heard;
  const listener: StreamListener = {
    onTelemetry: (entry, atMs) =>
      void telemetry.push({ telemetry: entry, atMs }),
    onEvent: (event, atMs, isNew) => void events.push({ event, atMs, isNew }),
    onCaughtUp: (heardUntil, listeningSince) =>
      void caughtUp.push({
        heardUntil,
        listeningSince,
        told: telemetry.length,
      }),
    onGap: (reason) => {
      gaps.push(caughtUp.length);
      reasons.push(reason);
    },
  };
  const redis = createRedis({
    url: options.url ?? redisUrl(),
    name: "reading",
    logger,
    ...(options.replyTimeoutMs === undefined
      ? {}
      : { replyTimeoutMs: options.replyTimeoutMs }),
  });
  const { redisNow, startedAt } = options;
  if (redisNow !== undefined)
    redis.time = () => Promise.resolve([Math.floor(redisNow() / 1000), 0]);
  const reader = new StreamReader({
    redis,
    keys,
    listeners: [listener],
    logger,
    ...(startedAt === undefined ? {} : { startedAt }),
  });
  onCleanup(() => reader.close());
  reader.start();
  return { ...heard, reader, log: logger.lines };
}
