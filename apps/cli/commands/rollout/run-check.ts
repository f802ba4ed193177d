import { spawn } from "node:child_process";
import { once } from "node:events";
import type { Readable } from "node:stream";
import { CHECK_LIMIT_MS } from "../../../../lib/rollout/spec.js";
import type { ServiceFile } from "../../../../lib/service-file.js";
import type { Environment } from "../../../../lib/settings/settings.js";
import { CliError, EXIT } from "../../exit-status.js";

export interface Check {
  /** For /bin/sh. */
  command: string;
  /** The folder of serin.yml. */
  cwd: string;
  env: Environment;
  /** Receives what it prints. */
  say: (text: string) => void;
  limitMs?: number;
  signal?: AbortSignal;
}

/** Where the check of a release runs, and what it can read of the canary. */
export function placeCheck(
  { directory, servers, ports }: ServiceFile,
  { release, env }: { release: string; env: Environment },
): Pick<Check, "cwd" | "env"> {
  const host = servers?.canary[0];
  return {
    cwd: directory,
    env: {
      ...(host && { SERIN_CANARY_URL: `http://${host}:${ports.canary}` }),
      ...env,
      SERIN_RELEASE: release,
    },
  };
}

/**
 * Runs the check of a step. Ctrl-C does not reach it: when the signal aborts, it ends with all that it has started.
 *
 * @returns why it has failed; undefined if it has passed @throws CliError if the signal ended it
 */
export async function runCheck(check: Check): Promise<string | undefined> {
  const { command, cwd, env, say, limitMs = CHECK_LIMIT_MS, signal } = check;
  // In a group of its own, all that it has started can be ended too.
  const child = spawn("/bin/sh", ["-c", command], {
    ...{ cwd, env, detached: true },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const outputs = [child.stdout, child.stderr] satisfies Readable[];
  for (const output of outputs)
    output.setEncoding("utf8").on("data", (text: string) => {
      say(text.trimEnd());
    });
  const late = AbortSignal.timeout(limitMs);
  const ended = signal === undefined ? late : AbortSignal.any([late, signal]);
  const end = () => {
    killGroup(child.pid);
    // A process that has left the group holds them open.
    for (const output of outputs) output.destroy();
  };
  ended.addEventListener("abort", end);
  if (ended.aborted) end();
  try {
    const [status] = (await once(child, "close")) as [number | null];
    if (signal?.aborted === true)
      throw new CliError(
        EXIT.interrupted,
        "interrupted: no result is reported",
      );
    if (late.aborted) return `it did not end within ${limitMs / 1000} s`;
    return status === 0 ? undefined : `it ended with ${status ?? "a signal"}`;
  } finally {
    ended.removeEventListener("abort", end);
  }
}

function killGroup(leader: number | undefined): void {
  try {
    if (leader !== undefined) process.kill(-leader, "SIGKILL");
  } catch (err) {
    // Nothing of the group is left.
    if ((err as NodeJS.ErrnoException).code !== "ESRCH") throw err;
  }
}
