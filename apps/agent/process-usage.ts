import pidusage from "pidusage";

/** What a process has used since it started. */
export interface ProcessUsage {
  pid: number;
  /** Of one core, user and system. */
  cpuMs: number;
  rssBytes: number;
  /** Since the process started. */
  elapsedMs: number;
  /** Monotonic ms (`performance.now()`) of the reading. */
  readAt: number;
}

/** Undefined when there is no such process. @throws when there is one that may not be read. */
export async function readUsage(
  pid: number,
): Promise<ProcessUsage | undefined> {
  const usage = isRunning(pid) ? await askPidusage(pid) : undefined;
  // No memory: it is a zombie, which keeps its pid until its parent takes note of its end, or has hardly been started.
  if (usage === undefined || usage.memory === 0) return undefined;
  return {
    pid,
    cpuMs: usage.ctime,
    rssBytes: usage.memory,
    elapsedMs: usage.elapsed,
    readAt: performance.now(),
  };
}

/** pidusage keeps a history of each pid, and a timer for it. */
export function forgetUsage(): void {
  pidusage.clear();
}

async function askPidusage(pid: number): Promise<pidusage.Status | undefined> {
  try {
    return await pidusage(pid);
  } catch (err) {
    if (!isRunning(pid)) return undefined;
    if ((err as NodeJS.ErrnoException).code !== "ESRCH") throw err;
    // pidusage still holds the /proc/<pid>/stat of an earlier process with this pid, and would do so for good.
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
