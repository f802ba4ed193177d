import { startAgent } from "../../../apps/agent/agent.js";
import { readConfig as readAgentConfig } from "../../../apps/agent/config.js";
import { startApp } from "../../../apps/app/start.js";
import { readConfig as readAppConfig } from "../../../apps/app/config.js";
import { readConfig as readMonitorConfig } from "../../../apps/monitor/config.js";
import { startMonitor } from "../../../apps/monitor/monitor.js";
import { readConfig as readProxyConfig } from "../../../apps/proxy/config.js";
import { startProxy } from "../../../apps/proxy/proxy.js";
import {
  Closers,
  type Program as Root,
} from "../../../lib/program/lifecycle.js";
import { createLogger } from "../../../lib/program/log.js";
import type { Keys } from "../../../lib/redis/keys.js";
import { onCleanup } from "../cleanup.js";
import { addressOf, withDefaults } from "./program-process.js";

export type Environment = Record<string, string>;
export type ProgramName = "app" | "agent" | "proxy" | "monitor";

/** One line of a program's log. */
export interface LogEntry {
  level: string;
  msg: string;
  [field: string]: unknown;
}

/** A program that listens, in this process or in one of its own. */
export interface Program {
  readonly keys: Keys;
  readonly log: readonly LogEntry[];
  readonly port: number;
  readonly url: string;
}

/** A program in the test's process, set by environment variables as its operators set it. */
export interface LocalProgram extends Program {
  /** Closes what it opened, as a signal to stop does. May be called twice. */
  readonly stop: () => Promise<void>;
}

const roots = {
  app: (env: Environment) =>
    run({ name: "app", readConfig: readAppConfig, start: startApp }, env),
  agent: (env: Environment) =>
    run({ name: "agent", readConfig: readAgentConfig, start: startAgent }, env),
  proxy: (env: Environment) =>
    run({ name: "proxy", readConfig: readProxyConfig, start: startProxy }, env),
  monitor: (env: Environment) =>
    run(
      { name: "monitor", readConfig: readMonitorConfig, start: startMonitor },
      env,
    ),
};

/**
 * Starts it in this process, on a free port against the tests' Redis, and waits until it listens; it is stopped after the
 * test. It gives up at once what is then in flight, unless DRAIN_MS says otherwise.
 *
 * @throws what its start throws
 */
export function startProgram(
  name: ProgramName,
  env: Environment,
): Promise<LocalProgram> {
  return roots[name](env);
}

async function run<Config extends { logLevel: string }>(
  { name, readConfig, start }: Root<Config>,
  ofTest: Environment,
): Promise<LocalProgram> {
  const { env, keys } = withDefaults({ DRAIN_MS: "0", ...ofTest });
  const config = readConfig(env);
  const log: LogEntry[] = [];
  const logger = createLogger(name, config.logLevel, {
    write: (line) => void log.push(JSON.parse(line) as LogEntry),
  });
  const closers = new Closers(logger);
  let stopped: Promise<void> | undefined;
  const stop = () => (stopped ??= closers.closeAll());
  onCleanup(async () => {
    await stop();
    const failure = log.find(
      ({ msg }) => msg === "could not be closed cleanly",
    );
    if (failure !== undefined) throw new Error(JSON.stringify(failure));
  });
  await start(config, { logger, closers });
  const listening = log.find(({ msg }) => msg === `${name} listens`);
  return { keys, log, stop, ...addressOf(Number(listening?.port)) };
}
