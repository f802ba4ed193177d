import { createKeys } from "../lib/redis/keys.js";
import { Reaper } from "../apps/launcher/processes/reaper.js";
import { ChildProgram } from "../test/support/system/child-program.js";
import { untilWhole } from "../test/support/system/conditions.js";
import { RedisProgram } from "../test/support/system/redis-program.js";
import { System, type SystemOptions } from "../test/support/system/system.js";
import { pathOf } from "./results-file.js";

/** For measurements whose load may stall a busy machine: no latency is a breach. */
export const NEVER_BREACH: SystemOptions["env"] = {
  monitor: { LATENCY_THRESHOLD_MS: "60000" },
};

/** Runs all programs with a private Redis, by default with default settings, and ends them afterwards. */
export async function withSystem<T>(
  options: Partial<Omit<SystemOptions, "redisUrl" | "keys">>,
  measure: (system: System) => Promise<T>,
): Promise<T> {
  const redis = await RedisProgram.create();
  try {
    await redis.start();
    const { url } = redis;
    const keys = createKeys("serin:");
    const system = await System.create({
      redisUrl: url,
      keys,
      env: {},
      ...options,
    });
    try {
      await system.start();
      await untilWhole(system);
      return await measure(system);
    } finally {
      await system.close();
    }
  } finally {
    await redis.close();
  }
}

/** Responses so far, and requests without a response of 200. */
export interface LoadCounts {
  answers: number;
  failures: number;
}

export interface Load {
  connections: number;
  /** A connection's average pause between requests; 0 for full load. */
  pauseMs: number;
}

/** Sends requests to the proxy from a separate process while `measure` runs. */
export async function underLoad<T>(
  system: System,
  { connections, pauseMs }: Load,
  measure: (readCounts: () => Promise<LoadCounts>) => Promise<T>,
): Promise<T> {
  const reaper = new Reaper();
  const load = new ChildProgram(
    {
      name: "load",
      main: pathOf("./load-process.js"),
      env: {
        PORT: String(system.proxy.port),
        CONNECTIONS: String(connections),
        PAUSE_MS: String(pauseMs),
      },
      readyMessage: "load runs",
    },
    reaper,
  );
  try {
    await load.start();
    return await measure(async () => (await load.ask("tell")) as LoadCounts);
  } finally {
    await load.close();
    await reaper.close();
  }
}
