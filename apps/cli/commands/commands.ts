import type { Commands } from "../command-line.js";
import type { Environment } from "../../../lib/settings/settings.js";
import { readConfig } from "../config.js";
import type { ExitStatus } from "../exit-status.js";
import { nameOperator } from "../operator.js";
import { Output, type OutputStream } from "../output.js";
import { explainRedisError } from "../sources/redis-link.js";
import { createContext, type CommandContext } from "./context.js";
import { examine } from "./doctor/doctor.js";
import { showEvents } from "./events.js";
import { changeFlag, showFlag } from "./flag.js";
import { showStatus } from "./status.js";
import { watchLive, watchPiped } from "./watch.js";
import { explainFlip } from "./why.js";

export interface CommandsContext {
  env: Environment;
  stdout: OutputStream;
  stderr: OutputStream;
  /** Called by commands that run until stopped. A signal ends the process of the others. */
  stopSignal: () => AbortSignal;
}

/** The commands that need settings, Redis or the monitor. */
export function createCommands(context: CommandsContext): Commands {
  const { env, stdout, stderr, stopSignal } = context;
  const output = new Output(stdout, env);

  /** Reads the settings, runs a command, and closes its connection. */
  async function run(
    command: (context: CommandContext) => Promise<ExitStatus>,
  ): Promise<ExitStatus> {
    const created = createContext(readConfig(env), output);
    try {
      return await command(created);
    } catch (err) {
      throw explainRedisError(err, created.link.address);
    } finally {
      created.link.close();
    }
  }

  return {
    status: (options) =>
      run(({ source }) => showStatus(source, output, options)),
    watch: () =>
      run(({ source }) =>
        output.terminal === undefined
          ? watchPiped(source, output, stopSignal())
          : watchLive(source, output, output.terminal, stopSignal()),
      ),
    getFlag: (options) => run((parts) => showFlag(parts, options)),
    setFlag: (value, { reason }) =>
      run((parts) =>
        changeFlag(parts, { value, reason, operator: nameOperator(env) }),
      ),
    events: (options) =>
      run((parts) =>
        showEvents(parts, {
          ...options,
          kind: options.kind,
          signal: options.follow ? stopSignal() : undefined,
          warn: (sentence) => stderr.write(`serin: ${sentence}\n`),
        }),
      ),
    why: (options) => run((parts) => explainFlip(parts, options)),
    doctor: (options) => run((parts) => examine(parts, options)),
  };
}
