import { once } from "node:events";
import { Closers } from "../../lib/program/lifecycle.js";
import {
  SettingsError,
  type Environment,
} from "../../lib/settings/settings.js";
import { abortOnSignals } from "../../lib/program/stop-signals.js";
import { parseCommandLine, USAGE } from "./command-line.js";
import { readConfig } from "./config.js";
import { launch, startTraffic } from "./launch.js";
import { LaunchError } from "./launch-error.js";
import { findPorts } from "./ports.js";
import type { Layout } from "./processes/programs.js";
import { createScreenLogger, Screen } from "./screen.js";
import { clearWorkspace, openWorkspace } from "./processes/workspace.js";

/**
 * `npm start`, from the command line to the end of the last process. It runs until it receives a signal or its output is
 * closed. The exit status is 1 if the start fails.
 */
export async function runLauncher(options: {
  args: readonly string[];
  env: Environment;
  programsDirectory: string;
  output: NodeJS.WriteStream;
}): Promise<void> {
  const { args, env, programsDirectory, output } = options;
  const stopping = new AbortController();
  abortOnSignals(stopping);
  output.on("error", () => stopping.abort());
  const isColoured = output.isTTY && output.hasColors();
  const screen = new Screen((text) => output.write(text), isColoured);
  try {
    const { help, traffic } = parseCommandLine(args);
    if (help) {
      screen.show(USAGE);
      return;
    }
    const config = readConfig(env);
    const ports = await findPorts(config.ports);
    const workspace = openWorkspace();
    const layout = { config, ports, workspace, programsDirectory };
    await runUntilStopped(layout, { traffic, screen, signal: stopping.signal });
  } catch (err) {
    process.exitCode = 1;
    if (!(err instanceof LaunchError || err instanceof SettingsError))
      throw err;
    process.stderr.write(`Serin failed to start: ${err.message}\n`);
  }
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
