import { spawnSync } from "node:child_process";
import { availableParallelism, cpus, loadavg, release } from "node:os";
import { round } from "../statistics.js";
import { ARE_CORES_SHARED } from "./cores.js";

export interface Machine {
  cpu: string;
  cores: number;
  kernel: string;
  pinned: string;
  node: string;
  nginx: string;
  haproxy: string;
  wrk: string;
  /** Over a minute. The start shows other work on the machine; the end includes the benchmark's own. */
  loadAverage: { start: number; end: number };
}

/** @param node runs the proxies @param loadAtStart the result of `readLoad` at the start */
export function describeMachine(node: string, loadAtStart: number): Machine {
  return {
    cpu: cpus()[0]?.model ?? "unknown",
    cores: availableParallelism(),
    kernel: release(),
    pinned: ARE_CORES_SHARED
      ? "everything on the only core"
      : "proxies on one core, load and backends on another",
    node: versionOf(node, "--version"),
    nginx: versionOf("nginx", "-v"),
    haproxy: versionOf("haproxy", "-v"),
    wrk: versionOf("wrk", "-v"),
    loadAverage: { start: loadAtStart, end: readLoad() },
  };
}

export function readLoad(): number {
  return round(loadavg()[0] ?? 0);
}

function versionOf(program: string, option: string): string {
  const { PATH = "" } = process.env;
  // Some programs exit with a failing status, or print their version on standard error.
  const { stdout, stderr } = spawnSync(program, [option], {
    encoding: "utf8",
    env: { PATH: `${PATH}:/usr/sbin` },
  });
  return /\d+\.\d+\.\d+/.exec(`${stdout}${stderr}`)?.[0] ?? "unknown";
}
