import pidusage from "pidusage";

/** Resource usage of a process since its start. */
export interface ProcessUsage {
  pid: number;
  /** CPU time, user and system. */
  cpuMs: number;
  rssBytes: number;
  /** Since the process started. */
  elapsedMs: number;
  /** Monotonic ms (`performance.now()`) of the reading. */
  readAt: number;
}

/** @returns undefined if there is no such process @throws if reading it is not permitted */
export async function readUsage(
  pid: number,
): Promise<ProcessUsage | undefined> {
  const usage = isRunning(pid) ? await askPidusage(pid) : undefined;
  // A process without memory is a zombie, which keeps its pid until its parent reaps it, or has just been forked.
  if (usage === undefined || usage.memory === 0) return undefined;
  return {
    pid,
    cpuMs: usage.ctime,
    rssBytes: usage.memory,
    elapsedMs: usage.elapsed,
    readAt: performance.now(),
  };
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

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (err) {
    return (err as NodeJS.ErrnoException).code === "EPERM";
  }
}
