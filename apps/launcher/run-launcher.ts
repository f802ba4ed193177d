import { once } from "node:events";
import { resolve } from "node:path";
import { WriteStream } from "node:tty";
import { Closers } from "../../lib/program/lifecycle.js";
import {
  readServiceFile,
  ServiceFileError,
  type ServiceFile,
} from "../../lib/service-file.js";
import { SettingsError } from "../../lib/settings/settings.js";
import { readAllSettings } from "./check-settings.js";
import { LaunchError } from "./config.js";
import { runDevelopment } from "./development.js";
import type { LauncherOptions } from "./options.js";
import { findPorts } from "./ports.js";
import { clearWorkspace, openWorkspace } from "./processes/workspace.js";
import { createScreenLogger, Screen } from "./screen/screen.js";

/**
 * `serin dev`, from its options to the end of the last process. It runs until the signal aborts.
 *
 * @returns the exit status: 1 if the start fails, 2 for a bad command line, serin.yml or setting, or a port that is taken
 */
export async function runLauncher(options: LauncherOptions): Promise<number> {
  const { cwd, env, stdout, stderr } = options;
  const terminal = stdout instanceof WriteStream ? stdout : undefined;
  const screen = new Screen((text) => stdout.write(text), {
    isColoured: terminal?.hasColors(env) === true,
    columns: terminal?.columns,
  });
  try {
    const service = readServiceFile(resolve(cwd, options.file));
    await runService(service, options, screen);
    return 0;
  } catch (err) {
    const isInput =
      err instanceof SettingsError || err instanceof ServiceFileError;
    if (!(err instanceof LaunchError || isInput)) throw err;
    stderr.write(`Serin failed to start: ${err.message}\n`);
    return isInput ? 2 : err.status;
  }
}

async function runService(
  service: ServiceFile,
  options: LauncherOptions,
  screen: Screen,
): Promise<void> {
  const { env, programsDirectory, signal } = options;
  const config = await readAllSettings(env, { service, programsDirectory });
  const ports = await findPorts(config.ports);
  const workspace = openWorkspace(options.tempDirectory);
  const layout = { config, service, ports, workspace, programsDirectory };
  const closers = new Closers(createScreenLogger(screen));
  let hasFailed = false;
  signal.addEventListener("abort", () =>
    screen.show("\nStopping. Press Ctrl-C again to stop immediately."),
  );
  try {
    await runDevelopment(layout, options, { screen, closers, signal });
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
