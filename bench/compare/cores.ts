import { execFileSync } from "node:child_process";
import { availableParallelism } from "node:os";

/** The cores of load and proxies. With a single core, the load disturbs the proxies. */
export const CORES =
  availableParallelism() > 1 ? { proxy: 0, load: 1 } : { proxy: 0, load: 0 };

export const ARE_CORES_SHARED = CORES.proxy === CORES.load;

/** The command that runs `words` on one core only. */
export function pinned(
  cpu: number,
  words: readonly string[],
): [string, ...string[]] {
  return ["taskset", "-c", String(cpu), ...words];
}

/** Moves a process, with its threads, to one core. */
export function pin(pid: number, cpu: number): void {
  execFileSync("taskset", ["-acp", String(cpu), String(pid)], {
    stdio: "ignore",
  });
}
