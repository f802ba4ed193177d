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
  /** Over a minute. Other work on the machine shows at the start; at the end, the benchmark's own as well. */
  loadAverage: { start: number; end: number };
}

/** @param node the one that runs the proxies @param loadAtStart what `readLoad` told then */
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
  // Some tell it with a failing status, or on standard error.
  const { stdout, stderr } = spawnSync(program, [option], {
    encoding: "utf8",
    env: { PATH: `${PATH}:/usr/sbin` },
  });
  return /\d+\.\d+\.\d+/.exec(`${stdout}${stderr}`)?.[0] ?? "unknown";
}
