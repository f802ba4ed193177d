import { hostname } from "node:os";
import type { Redis } from "ioredis";
import type { Ledger } from "../flag/ledger.js";
import type { Closers } from "./lifecycle.js";
import type { Logger } from "./log.js";
import { releaseVersion } from "./release.js";

/** Identifies a program's instance across its restarts: `proxy@edge1:8080`. */
export function sourceId(program: string, port: number): string {
  return `${program}@${hostname()}:${port}`;
}

/**
 * Enters this instance's start in the ledger as soon as Redis can be reached, and its stop when it is closed. Without
 * Redis neither is written: the ledger must not keep a program from starting or ending.
 */
export function announce(options: {
  program: string;
  source: string;
  /** Says more than the source does: `canary on http://127.0.0.1:3002`. */
  detail: string;
  redis: Redis;
  ledger: Ledger;
  /** The release's own unless the program was told another. */
  version?: string;
  closers: Closers;
  logger: Logger;
}): void {
  const { program, source, detail, redis, ledger, closers, logger } = options;
  const version = options.version ?? releaseVersion();
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
