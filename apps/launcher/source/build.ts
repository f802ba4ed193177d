import { withoutNpm } from "../../../lib/program/without-npm.js";
import type { ServiceFile } from "../../../lib/service-file.js";
import type { Environment } from "../../../lib/settings/settings.js";
import { formatMs } from "../../../lib/wording/units.js";
import { Child } from "../processes/child.js";
import type { Reaper } from "../processes/reaper.js";
import { commandEnvironment } from "../processes/service.js";
import { createStartError } from "../processes/supervisor.js";

const GRACE_MS = 500;

/** Runs the service's `build` in its folder. @throws LaunchError if it fails, or the signal's reason */
export async function runBuild(
  service: ServiceFile,
  context: {
    /** For people, such as `stable (1a2b3c4d5e)`. */
    label: string;
    env: Environment;
    logFile: string;
    reaper: Reaper;
    signal: AbortSignal;
  },
): Promise<void> {
  const { build, directory } = service;
  if (build === undefined) return;
  const { label, env, logFile, reaper, signal } = context;
  const startedAt = performance.now();
  const child = new Child(
    {
      name: "build",
      command: "/bin/sh",
      args: ["-c", build],
      cwd: directory,
      env: commandEnvironment(directory, withoutNpm(env)),
      logFile,
      isReady: () => Promise.resolve(true),
    },
    reaper,
  );
  const stop = () => void child.stop(GRACE_MS);
  signal.addEventListener("abort", stop);
  const ending = await child.ended;
  signal.removeEventListener("abort", stop);
  signal.throwIfAborted();
  if (ending === "ended with status 0") return;
  const took = formatMs(performance.now() - startedAt);
  throw createStartError(
    `the build of ${label} ${ending} after ${took}: ${build}`,
    logFile,
  );
}
