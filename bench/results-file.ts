import { mkdirSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus, loadavg } from "node:os";
import { fileURLToPath } from "node:url";

/** The conditions of a benchmark. */
export interface RunFacts {
  quick: boolean;
  node: string;
  cpu: string;
  cores: number;
  /** Over the last minute, at the start: shows other work on the machine. */
  loadAverage: number;
}

export function describeRun(quick: boolean): RunFacts {
  return {
    quick,
    node: process.version,
    cpu: cpus()[0]?.model ?? "unknown",
    cores: availableParallelism(),
    loadAverage: Math.round((loadavg()[0] ?? 0) * 10) / 10,
  };
}

/**
 * Writes bench/results/`name`.json, or `name`-quick.json after a quick run.
 *
 * @returns the content
 */
export function writeResults(
  name: string,
  results: { quick: boolean },
): string {
  const directory = pathOf("../../bench/results");
  const json = JSON.stringify(results, undefined, 2);
  mkdirSync(directory, { recursive: true });
  const file = results.quick ? `${name}-quick` : name;
  writeFileSync(`${directory}/${file}.json`, `${json}\n`);
  return json;
}

/** Of a file beside this one. */
export function pathOf(file: string): string {
  return fileURLToPath(new URL(file, import.meta.url));
}
