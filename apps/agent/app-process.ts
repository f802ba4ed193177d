import type { HostSample } from "../../lib/telemetry/telemetry.js";
import type { ProcessUsage } from "./process-usage.js";

/** The part of a host sample that is about the app's process. */
export type ProcessFigures = Pick<
  HostSample,
  "up" | "pid" | "startedAt" | "cpuRatio" | "rssBytes"
>;

/** A process as it was last seen. */
export interface AppProcess {
  usage: ProcessUsage;
  /** Ms since the epoch; worked out once, since clocks are set and `elapsedMs` is rounded. */
  startedAt: number;
  /** 1 is one core fully used, since the reading before; since the process's start in its first. */
  cpuRatio: number;
}

/** Carries the process on with a new reading. Another process than `before`'s, even with its pid, begins anew. */
export function advanceProcess(
  before: AppProcess | undefined,
  usage: ProcessUsage,
  now: number,
): AppProcess {
  if (before === undefined || !isSame(before.usage, usage)) {
    return {
      usage,
      startedAt: now - usage.elapsedMs,
      cpuRatio: toRatio(usage.cpuMs, usage.elapsedMs),
    };
  }
  const usedMs = usage.cpuMs - before.usage.cpuMs;
  const passedMs = usage.readAt - before.usage.readAt;
  return { ...before, usage, cpuRatio: toRatio(usedMs, passedMs) };
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

/** Age and used CPU time only grow. */
function isSame(before: ProcessUsage, after: ProcessUsage): boolean {
  return (
    after.pid === before.pid &&
    after.elapsedMs >= before.elapsedMs &&
    after.cpuMs >= before.cpuMs
  );
}

function toRatio(usedMs: number, passedMs: number): number {
  return passedMs > 0 ? usedMs / passedMs : 0;
}
