import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { packageRoot } from "../../../lib/program/release.js";
import { FAULTS, type DevOptions } from "../line/dev-options.js";
import type { ExitStatus } from "../exit-status.js";
import type { CommandsContext } from "./commands.js";

/** A bundle of its own, because it needs packages that other commands do not load. */
interface Launcher {
  runLauncher: (
    options: Omit<DevOptions, "file"> &
      Pick<CommandsContext, "cwd" | "env" | "stdout" | "stderr"> & {
        file: string;
        fault: string | undefined;
        terminal: NodeJS.ReadStream | undefined;
        signal: AbortSignal;
        programsDirectory: string;
        tempDirectory: string;
      },
  ) => Promise<ExitStatus>;
}

/** Runs the service on this machine until it is stopped. */
export async function runDev(
  { canary, ...options }: DevOptions,
  context: CommandsContext,
): Promise<ExitStatus> {
  const { cwd, env, stdin, stdout, stderr } = context;
  const programsDirectory = join(packageRoot(), "dist/apps");
  const bundle = join(programsDirectory, "launcher/main.js");
  const launcher = (await import(pathToFileURL(bundle).href)) as Launcher;
  const fault = FAULTS.find((name) => name === canary);
  return await launcher.runLauncher({
    ...options,
    ...(canary !== undefined && fault === undefined && { canary }),
    fault,
    ...{ cwd, env, stdout, stderr, programsDirectory },
    terminal: stdin?.isTTY === true ? stdin : undefined,
    signal: context.stopSignal(),
    tempDirectory: tmpdir(),
  });
}
