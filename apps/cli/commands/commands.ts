import { createKeys, type Keys } from "../../../lib/redis/keys.js";
import type { Commands } from "../command-line.js";
import type { Environment } from "../../../lib/settings/settings.js";
import { readConfig, type CliConfig } from "../config.js";
import type { ExitStatus } from "../exit-status.js";
import { nameOperator } from "../operator.js";
import { Output, type OutputStream } from "../output.js";
import { MonitorClient } from "../sources/monitor-client.js";
import { explainRedisError, RedisLink } from "../sources/redis-link.js";
import { StateSource } from "../sources/state-source.js";
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
  /** Called by the commands that run until they are stopped. A signal ends the others together with their process. */
  stopSignal: () => AbortSignal;
}

/** What commands work with. */
interface Parts {
  config: CliConfig;
  link: RedisLink;
  monitor: MonitorClient;
  keys: Keys;
  flagName: string;
  source: StateSource;
  output: Output;
}

/** The commands that need settings, Redis or the monitor. */
export function createCommands(context: CommandsContext): Commands {
  const { env, stdout, stderr, stopSignal } = context;
  const output = new Output(stdout, env);

  /** Reads the settings, runs a command, and lets go of everything. */
  async function run(
    command: (parts: Parts) => Promise<ExitStatus>,
  ): Promise<ExitStatus> {
    const parts = openParts(readConfig(env), output);
    try {
      return await command(parts);
    } catch (err) {
      throw explainRedisError(err, parts.link.address);
    } finally {
      parts.link.close();
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

function openParts(config: CliConfig, output: Output): Parts {
  const { flagName } = config;
  const link = new RedisLink(config.redisUrl);
  const monitor = new MonitorClient(config);
  const keys = createKeys(config.keyPrefix);
  const source = new StateSource({ link, monitor, keys, flagName });
  return { config, link, monitor, keys, flagName, source, output };
}
