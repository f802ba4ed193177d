import { createLogger, type Logger } from "./log.js";
import { SettingsError, type Environment } from "../settings/settings.js";

type Close = () => Promise<void> | void;

/** Longest orderly stop, after which the process exits. Longer than the drain of any program. */
const STOP_DEADLINE_MS = 60_000;

/** Closes open resources in reverse order, also if a start fails half-way. */
export class Closers {
  readonly #entries: { name: string; close: Close }[] = [];
  readonly #logger: Logger;
  #closing = false;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** A resource that opens during the stop is closed at once. */
  add(name: string, close: Close): void {
    this.#entries.push({ name, close });
    if (this.#closing) void this.closeAll();
  }

  /** Runs each closer once, last opened first. An error is logged, and the others still run. */
  async closeAll(): Promise<void> {
    this.#closing = true;
    for (;;) {
      const entry = this.#entries.pop();
      if (entry === undefined) return;
      const { name: resource, close } = entry;
      try {
        await close();
      } catch (err) {
        this.#logger.error({ err, resource }, "could not be closed cleanly");
      }
    }
  }
}

export interface Program<Config extends { logLevel: string }> {
  name: string;
  /** @throws SettingsError */
  readConfig: (env: Environment) => Config;
  start: (
    config: Config,
    context: { logger: Logger; closers: Closers },
  ) => Promise<void>;
}

/**
 * Runs a program until SIGTERM or SIGINT, then closes its resources and lets the event loop run empty. Bad settings, which
 * are all listed on standard error, and a failed start end it with status 1. A second signal ends it at once, with the
 * shell's status for that signal.
 */
export async function runProgram<Config extends { logLevel: string }>(
  program: Program<Config>,
): Promise<void> {
  const config = readConfigOrExit(program);
  const logger = createLogger(program.name, config.logLevel);
  const closers = new Closers(logger);
  stopOnSignals(closers, logger);
  try {
    await program.start(config, { logger, closers });
  } catch (err) {
    logger.error({ err }, `${program.name} could not start`);
    process.exitCode = 1;
    await closers.closeAll();
  }
}

function readConfigOrExit<Config extends { logLevel: string }>(
  program: Program<Config>,
): Config {
  try {
    return program.readConfig(process.env);
  } catch (err) {
    if (!(err instanceof SettingsError)) throw err;
    process.stderr.write(`${program.name} does not start: ${err.message}\n`);
    process.exit(1);
  }
}

function stopOnSignals(closers: Closers, logger: Logger): void {
  const signalNumbers = { SIGINT: 2, SIGTERM: 15 } as const;
  let stopping = false;
  const stop = (signal: keyof typeof signalNumbers) => {
    if (stopping) process.exit(128 + signalNumbers[signal]);
    stopping = true;
    logger.info({ signal }, "stopping");
    setTimeout(() => {
      logger.error(
        { deadlineMs: STOP_DEADLINE_MS },
        "something still held the process: ended",
      );
      process.exit(1);
    }, STOP_DEADLINE_MS).unref();
    void closers.closeAll();
  };
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
}
