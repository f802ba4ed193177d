/**
 * Measures what the verdict costs, the monitor each second and the proxy each request, and writes
 * bench/results/verdict.json. `--quick` measures little: it shows that the benchmark still works.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus, loadavg } from "node:os";
import { parseArgs } from "node:util";
import { measureJudging } from "./measure-judging.js";
import { measureRoutes } from "./measure-routes.js";
import { pathOf } from "./with-system.js";

const { values } = parseArgs({
  options: { quick: { type: "boolean", default: false } },
});
const { quick } = values;
const results = {
  quick,
  node: process.version,
  cpu: cpus()[0]?.model ?? "unknown",
  cores: availableParallelism(),
  /** Over the last minute, at the start: other work on the machine shows here. */
  loadAverage: Math.round((loadavg()[0] ?? 0) * 10) / 10,
  judging: measureJudging(quick ? 5 : 100),
  routes: await measureRoutes(quick ? 500 : 20_000),
};
const directory = pathOf("../../bench/results");
mkdirSync(directory, { recursive: true });
const name = quick ? "verdict-quick.json" : "verdict.json";
const json = JSON.stringify(results, undefined, 2);
writeFileSync(`${directory}/${name}`, `${json}\n`);
console.log(json);
