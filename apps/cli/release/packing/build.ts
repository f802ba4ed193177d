import { withoutNpm } from "../../../../lib/program/without-npm.js";
import type { Environment } from "../../../../lib/settings/settings.js";
import { CliError, EXIT } from "../../exit-status.js";
import { readLogEnd, runProgram } from "../run-program.js";

/** Runs the build in a clean checkout. @throws CliError with the end of its output */
export async function runBuild(build: {
  command: string;
  folder: string;
  env: Environment;
  log: string;
  signal: AbortSignal;
}): Promise<void> {
  const { command, folder, env, log, signal } = build;
  const status = await runProgram({
    command: "/bin/sh",
    args: ["-c", command],
    cwd: folder,
    env: withoutNpm(env),
    log,
    signal,
  });
  if (signal.aborted) throw new CliError(EXIT.interrupted, "interrupted");
  if (status === 0) return;
  const how = status === null ? "was ended" : `ended with status ${status}`;
  throw new CliError(
    EXIT.problem,
    `the build ${how} (${command}); all of its output is in ${log}:\n${readLogEnd(log)}`,
  );
}
