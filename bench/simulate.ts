/**
 * Simulates releases, prints how often each method stops a healthy one and how soon a slow one, and writes
 * bench/results/simulate.json. `--quick` takes seconds and shows only that it still works.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { renderChart } from "./simulate/chart.js";
import { simulate } from "./simulate/run.js";
import { renderTable } from "./simulate/table.js";
import { pathOf } from "./with-system.js";

const FULL = { healthy: 1000, changed: 200, seconds: 300 };
const QUICK = { healthy: 10, changed: 5, seconds: 120 };

const { values } = parseArgs({
  options: { quick: { type: "boolean", default: false } },
});
const size = values.quick ? QUICK : FULL;
const started = performance.now();
const results = {
  quick: values.quick,
  requestsPerSecond: 100,
  share: 0.25,
  alpha: 0.01,
  ...size,
  ...simulate(size),
};
const directory = pathOf("../../bench/results");
mkdirSync(directory, { recursive: true });
const name = values.quick ? "simulate-quick.json" : "simulate.json";
writeFileSync(
  `${directory}/${name}`,
  `${JSON.stringify(results, undefined, 2)}\n`,
);
if (!values.quick)
  writeFileSync(`${directory}/simulate.svg`, renderChart(results.detections));
console.log(renderTable(results));
console.error(`${Math.round((performance.now() - started) / 1000)} s`);
