import { readFileSync } from "node:fs";
import * as z from "zod";

/** Tells a process from a later one with its pid. */
export const processIdentity = z.object({
  pid: z.number(),
  /** In clock ticks since the machine's start; null where the system does not say. */
  startedAt: z.string().nullable(),
});

type ProcessIdentity = z.infer<typeof processIdentity>;

export function identifyProcess(pid: number): ProcessIdentity {
  return { pid, startedAt: readStart(pid) };
}

/** Whether a process is still the one that was identified. */
export function isStillRunning({ pid, startedAt }: ProcessIdentity): boolean {
  return isRunning(pid) && readStart(pid) === startedAt;
}

export function isRunning(pid: number): boolean {
  try {
    return pid > 0 && process.kill(pid, 0);
  } catch (err) {
    // It belongs to another user.
    return (err as NodeJS.ErrnoException).code === "EPERM";
  }
}

function readStart(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The second field, the command in brackets, can hold anything.
    const afterCommand = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return afterCommand[19] ?? null;
  } catch {
    return null;
  }
}
