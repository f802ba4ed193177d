import type { HostSample } from "../../lib/telemetry/telemetry.js";
import type { ProcessUsage } from "./process-usage.js";

/** The part of a host sample that describes the app's processes. */
export type ProcessFigures = Pick<
  HostSample,
  "up" | "pid" | "startedAt" | "cpuRatio" | "rssBytes"
>;

/** The last reading of a process. */
export interface AppProcess {
  usage: ProcessUsage;
  /** Ms since the epoch. Computed once, because clocks are adjusted and `elapsedMs` is rounded. */
  startedAt: number;
  /** Cores used since the previous reading, or since the start of the process. */
  cpuRatio: number;
}

/** Updates the process with a new reading. A different process, even with the same pid, starts over. */
export function advanceProcess(
  before: AppProcess | undefined,
  usage: ProcessUsage,
  now: number,
): AppProcess {
  if (before === undefined || !isSame(before.usage, usage)) {
    return {
      usage,
      startedAt: now - usage.elapsedMs,
      cpuRatio: toRatio(usedMs(undefined, usage), usage.elapsedMs),
    };
  }
  const passedMs = usage.readAt - before.usage.readAt;
  return {
    ...before,
    usage,
    cpuRatio: toRatio(usedMs(before.usage, usage), passedMs),
  };
}

export function describeProcess(
  process: AppProcess | undefined,
): ProcessFigures {
  if (process === undefined)
    return {
      up: false,
      pid: null,
      startedAt: null,
      cpuRatio: null,
      rssBytes: null,
    };
  const { usage, startedAt, cpuRatio } = process;
  return {
    up: true,
    pid: usage.pid,
    startedAt: new Date(startedAt).toISOString(),
    cpuRatio,
    rssBytes: usage.rssBytes,
  };
}

/** The age and CPU time of a process never decrease. */
function isSame(before: ProcessUsage, after: ProcessUsage): boolean {
  return (
    after.pid === before.pid &&
    after.elapsedMs >= before.elapsedMs &&
    (after.cpuMs.get(after.pid) ?? 0) >= (before.cpuMs.get(before.pid) ?? 0)
  );
}

/** Of a process that has ended since, only the cgroup knows. */
function usedMs(before: ProcessUsage | undefined, after: ProcessUsage): number {
  if (after.cgroupCpuMs !== undefined)
    return after.cgroupCpuMs - (before?.cgroupCpuMs ?? 0);
  let sum = 0;
  for (const [pid, cpuMs] of after.cpuMs)
    sum += Math.max(0, cpuMs - (before?.cpuMs.get(pid) ?? 0));
  return sum;
}

function toRatio(usedMs: number, passedMs: number): number {
  return passedMs > 0 ? usedMs / passedMs : 0;
}
