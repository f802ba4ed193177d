import { readFileSync } from "node:fs";
import { withoutNpm } from "../../../../lib/program/without-npm.js";
import type { Environment } from "../../../../lib/settings/settings.js";
import { CliError, EXIT } from "../../exit-status.js";
import { findHostFault } from "../host-fault.js";
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
  // Without memory, the kernel kills the build or one of its programs.
  const isKilled = status === null || status === 137;
  const fault = isKilled
    ? EXIT.usage
    : findHostFault(readFileSync(log, "utf8"));
  const how = status === null ? "was killed" : `ended with status ${status}`;
  const whose = fault ? ", which is no fault of the commit" : "";
  throw new CliError(
    fault ?? EXIT.problem,
    `the build ${how}${whose} (${command}); all of its output is in ${log}:\n${readLogEnd(log)}`,
  );
}
