import type { Environment } from "../../../../lib/settings/settings.js";
import { CliError, EXIT } from "../../exit-status.js";
import { readLogEnd, runProgram } from "../run-program.js";

/** What npm sets for the scripts of a package. The build is not one of them. */
const OF_NPM =
  /^(npm_(package|lifecycle|config_local_prefix|command|execpath|node_execpath)|INIT_CWD$)/;

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
    env: Object.fromEntries(
      Object.entries(env).filter(([name]) => !OF_NPM.test(name)),
    ),
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
