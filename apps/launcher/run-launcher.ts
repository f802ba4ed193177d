import { once } from "node:events";
import { tmpdir } from "node:os";
import { WriteStream } from "node:tty";
import { Closers } from "../../lib/program/lifecycle.js";
import {
  SettingsError,
  type Environment,
} from "../../lib/settings/settings.js";
import { abortOnSignals } from "../../lib/program/stop-signals.js";
import { parseCommandLine, USAGE } from "./command-line.js";
import { readAllSettings } from "./check-settings.js";
import { LaunchError } from "./config.js";
import { launch, startTraffic } from "./launch.js";
import { findPorts } from "./ports.js";
import type { Layout } from "./processes/programs.js";
import { createScreenLogger, Screen } from "./screen.js";
import { clearWorkspace, openWorkspace } from "./processes/workspace.js";

interface OutputStream {
  write: (text: string) => unknown;
}

/**
 * `npm start`, from the command line to the end of the last process. It runs until the signal aborts.
 *
 * @returns the exit status: 1 if the start fails
 */
export async function runLauncher(options: {
  args: readonly string[];
  env: Environment;
  /** A terminal, or whatever else takes text. */
  stdout: OutputStream;
  stderr: OutputStream;
  signal: AbortSignal;
  /** Holds a folder for each program, with its main.js. */
  programsDirectory: string;
  /** For a folder of this run's own. */
  tempDirectory: string;
}): Promise<number> {
  const { args, env, stdout, stderr, signal } = options;
  const isColoured = stdout instanceof WriteStream && stdout.hasColors(env);
  const screen = new Screen((text) => stdout.write(text), isColoured);
  try {
    const { help, traffic } = parseCommandLine(args);
    if (help) {
      screen.show(USAGE);
      return 0;
    }
    const { programsDirectory } = options;
    const config = await readAllSettings(env, programsDirectory);
    const ports = await findPorts(config.ports);
    const workspace = openWorkspace(options.tempDirectory);
    const layout = { config, ports, workspace, programsDirectory };
    await runUntilStopped(layout, { traffic, screen, signal });
    return 0;
  } catch (err) {
    if (!(err instanceof LaunchError || err instanceof SettingsError))
      throw err;
    stderr.write(`Serin failed to start: ${err.message}\n`);
    return 1;
  }
}

/** The same with the arguments, streams and signals of this process. It also stops when its output is closed. */
export async function runLauncherProcess(
  programsDirectory: string,
): Promise<void> {
  const { argv, env, stdout, stderr } = process;
  const stopping = new AbortController();
  abortOnSignals(stopping);
  stdout.on("error", () => stopping.abort());
  process.exitCode = await runLauncher({
    args: argv.slice(2),
    env,
    stdout,
    stderr,
    programsDirectory,
    signal: stopping.signal,
    tempDirectory: tmpdir(),
  });
}

async function runUntilStopped(
  layout: Layout,
  options: { traffic: boolean; screen: Screen; signal: AbortSignal },
): Promise<void> {
  const { traffic, screen, signal } = options;
  const { workspace } = layout;
  const closers = new Closers(createScreenLogger(screen));
  const context = { screen, closers, signal };
  let hasFailed = false;
  signal.addEventListener("abort", () =>
    screen.show("\nStopping. Press Ctrl-C again to stop immediately."),
  );
  try {
    await launch(layout, context);
    if (traffic) startTraffic(layout, context);
    if (!signal.aborted) await once(signal, "abort");
  } catch (err) {
    hasFailed = !signal.aborted;
    if (hasFailed) throw err;
  } finally {
    await closers.closeAll();
    const isWorthKeeping =
      hasFailed || ["mail", "died"].some((kind) => screen.kindsShown.has(kind));
    clearWorkspace(workspace, isWorthKeeping);
    if (!hasFailed)
      screen.show(
        isWorthKeeping
          ? `Stopped. Mails and logs stay in ${workspace.directory}`
          : "Stopped. Nothing is left behind.",
      );
  }
}
