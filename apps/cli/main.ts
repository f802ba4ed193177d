#!/usr/bin/env node
import { createKeys } from "../../lib/redis/keys.js";
import { releaseVersion } from "../../lib/program/release.js";
import { SettingsError } from "../../lib/settings/settings.js";
import { abortOnSignals } from "../../lib/program/stop-signals.js";
import { runCommandLine, type Actions } from "./command-line.js";
import { renderCompletion } from "./completion.js";
import { readConfig, type CliConfig } from "./config.js";
import { examine } from "./commands/doctor/doctor.js";
import { showEvents } from "./commands/events.js";
import { CliError, EXIT, type ExitStatus } from "./exit-status.js";
import { changeFlag, showFlag } from "./commands/flag.js";
import { MonitorClient } from "./sources/monitor-client.js";
import { nameOperator } from "./operator.js";
import { Output } from "./output.js";
import { explainRedisError, RedisLink } from "./sources/redis-link.js";
import { StateSource } from "./sources/state-source.js";
import { showStatus } from "./commands/status.js";
import { watchLive, watchPiped } from "./commands/watch.js";
import { explainFlip } from "./commands/why.js";

const output = new Output(process.stdout);
const complain = (sentence: string) => {
  process.stderr.write(`serin: ${sentence}\n`);
};
const stopping = new AbortController();
// Whoever read the output has gone, as `head` does.
process.stdout.on("error", () => {
  stopping.abort();
  process.exit(process.exitCode ?? EXIT.ok);
});

function openParts(config: CliConfig) {
  const { flagName } = config;
  const link = new RedisLink(config.redisUrl);
  const monitor = new MonitorClient(config);
  const keys = createKeys(config.keyPrefix);
  const source = new StateSource({ link, monitor, keys, flagName });
  return { config, link, monitor, keys, flagName, source, output };
}
type Parts = ReturnType<typeof openParts>;

/** Reads the settings, runs a command, and lets go of everything. */
async function run(
  command: (parts: Parts) => Promise<ExitStatus | undefined>,
): Promise<void> {
  const parts = openParts(readConfig(process.env));
  try {
    process.exitCode = (await command(parts)) ?? EXIT.ok;
  } catch (err) {
    throw explainRedisError(err, parts.link.address);
  } finally {
    parts.link.close();
  }
}

/** For a command that has no result. */
async function runQuietly(
  command: (parts: Parts) => Promise<void>,
): Promise<void> {
  await run(async (parts) => {
    await command(parts);
    return undefined;
  });
}

const { signal } = stopping;
const actions: Actions = {
  status: (options) => run(({ source }) => showStatus(source, output, options)),
  watch: async () => {
    abortOnSignals(stopping);
    const watch = output.isTerminal ? watchLive : watchPiped;
    await runQuietly(({ source }) => watch(source, output, signal));
  },
  getFlag: (options) => runQuietly((parts) => showFlag(parts, options)),
  setFlag: (value, { reason }) =>
    runQuietly((parts) =>
      changeFlag(parts, {
        value,
        reason,
        operator: nameOperator(process.env),
      }),
    ),
  events: async (options) => {
    if (options.follow) abortOnSignals(stopping);
    await runQuietly(({ link, keys }) =>
      showEvents(link, keys, output, {
        ...options,
        kind: options.kind,
        signal,
        warn: complain,
      }),
    );
  },
  why: (options) => runQuietly((parts) => explainFlip(parts, options)),
  doctor: (options) => run((parts) => examine(parts, options)),
  completion: (shell, tree) => {
    process.stdout.write(renderCompletion(shell, tree));
  },
};

try {
  const args = process.argv.slice(2);
  process.exitCode =
    (await runCommandLine(args, actions, releaseVersion())) ??
    process.exitCode ??
    EXIT.ok;
} catch (err) {
  process.exitCode = err instanceof CliError ? err.status : EXIT.problem;
  if (err instanceof SettingsError) process.exitCode = EXIT.usage;
  complain(err instanceof Error ? err.message : String(err));
}
// A connection that is still being opened would hold the process for as long as that takes.
process.exit();
