import pidusage from "pidusage";
import { isRunning } from "../../lib/program/process-identity.js";
import type { AppLocation } from "./find-app.js";
import { listProcesses, readCgroupCpuMs } from "./process-tree.js";

/** Resource usage of an app since its start. */
export interface ProcessUsage {
  /** Of its main process. */
  pid: number;
  /** CPU time, user and system, by pid. */
  cpuMs: ReadonlyMap<number, number>;
  /** CPU time of all that have run in its cgroup. */
  cgroupCpuMs?: number | undefined;
  /** Of all processes; memory that they share counts for each. */
  rssBytes: number;
  /** Since the main process started. */
  elapsedMs: number;
  /** Monotonic ms (`performance.now()`) of the reading. */
  readAt: number;
}

/** @returns undefined if there is no such process @throws if reading it is not permitted */
export async function readUsage(
  app: AppLocation,
): Promise<ProcessUsage | undefined> {
  const { pid, cgroup } = app;
  const usage = isRunning(pid) ? await askPidusage(pid) : undefined;
  // A process without memory is a zombie, which keeps its pid until its parent reaps it, or has just been forked.
  if (usage === undefined || usage.memory === 0) return undefined;
  const [self, others, cgroupCpuMs] = await Promise.all([
    pidusage(process.pid),
    readOthers(app),
    cgroup === undefined ? undefined : readCgroupCpuMs(cgroup),
  ]);
  const all = [usage, ...others];
  const readAt = performance.now();
  return {
    pid,
    cpuMs: new Map(all.map((one) => [one.pid, one.ctime])),
    cgroupCpuMs,
    rssBytes: all.reduce((sum, { memory }) => sum + memory, 0),
    elapsedMs: ageOf(usage, self, readAt),
    readAt,
  };
}

/**
 * In LXC the system's uptime is the container's, but processes start by the host's, so that ages may be negative. This
 * process knows its own, and what is wrong with it.
 */
export function ageOf(
  usage: Pick<pidusage.Status, "elapsed">,
  self: Pick<pidusage.Status, "elapsed">,
  ownAgeMs: number,
): number {
  return ownAgeMs + usage.elapsed - self.elapsed;
}

async function readOthers(app: AppLocation): Promise<pidusage.Status[]> {
  const pids = (await listProcesses(app)).filter((pid) => pid !== app.pid);
  if (pids.length === 0) return [];
  // Null for a process that has ended, whatever the types say.
  const usages: Record<string, pidusage.Status | null> = await pidusage(
    pids,
  ).catch(() => ({}));
  return Object.values(usages).filter((usage) => usage !== null);
}

/** Clears the history and the timer that pidusage keeps for each pid. */
export function forgetUsage(): void {
  pidusage.clear();
}

async function askPidusage(pid: number): Promise<pidusage.Status | undefined> {
  try {
    return await pidusage(pid);
  } catch (err) {
    if (!isRunning(pid)) return undefined;
    if ((err as NodeJS.ErrnoException).code !== "ESRCH") throw err;
    // pidusage caches /proc/<pid>/stat of an earlier process with this pid, and never refreshes it.
    pidusage.clear();
    return await pidusage(pid);
  }
}
