import { hostname } from "node:os";
import type { Redis } from "ioredis";
import type { Notice } from "../telemetry/telemetry.js";
import type { Closers } from "../program/lifecycle.js";
import type { Logger } from "../program/log.js";
import { releaseVersion } from "../program/release.js";

/** Identifies an instance of a program across restarts: `proxy@edge1:8080`. */
export function sourceId(program: string, port: number): string {
  return `${program}@${hostname()}:${port}`;
}

/**
 * Records the start of this instance when Redis is reachable, and its stop when it closes. Without Redis, neither is
 * recorded: the ledger must not delay a start or a stop.
 */
export function announce(options: {
  program: string;
  source: string;
  /** Such as `canary on http://127.0.0.1:3002`. */
  detail: string;
  redis: Redis;
  /** The ledger, or what announces to the monitor. */
  ledger: { record: (entry: Notice["data"]) => Promise<unknown> };
  closers: Closers;
  logger: Logger;
}): void {
  const { program, source, detail, redis, ledger, closers, logger } = options;
  const version = releaseVersion();
  const write = async (kind: "start" | "stop") => {
    const reason = `${program} ${kind === "start" ? "started" : "stopped"}: ${detail}`;
    try {
      await ledger.record({
        kind,
        by: program,
        reason,
        data: { source, version },
      });
    } catch (err) {
      logger.debug({ err, kind }, "not entered in the ledger");
    }
  };
  if (redis.status === "ready") void write("start");
  else redis.once("ready", () => void write("start"));
  closers.add("announcement", () =>
    redis.status === "ready" ? write("stop") : undefined,
  );
}
