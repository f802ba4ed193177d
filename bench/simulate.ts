/**
 * Simulates releases, prints how often each method stops a healthy one and how soon a worse one, and writes
 * bench/results/simulate.json. Each law has a thread. `--quick` takes seconds, to check that the simulation works.
 */
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { Worker } from "node:worker_threads";
import { pathOf, writeResults } from "./results-file.js";
import { renderChart } from "./simulate/chart.js";
import { ALPHA } from "./simulate/methods.js";
import type { Results, Size } from "./simulate/run.js";
import { renderTable } from "./simulate/table.js";
import { LAWS, REQUESTS_PER_SECOND, shareOf } from "./simulate/traffic.js";

const FULL: Size = { healthy: 1000, changed: 200, late: 100, seconds: 300 };
const QUICK: Size = { healthy: 5, changed: 5, late: 1, seconds: 120 };

const { values } = parseArgs({
  options: { quick: { type: "boolean", default: false } },
});
const size = values.quick ? QUICK : FULL;
const started = performance.now();
const byLaw = await Promise.all(
  Object.keys(LAWS).map((law) => simulateInThread(law, size)),
);
const results = {
  quick: values.quick,
  requestsPerSecond: REQUESTS_PER_SECOND,
  share: shareOf("steady"),
  alpha: ALPHA,
  ...size,
  falseStops: byLaw.flatMap(({ falseStops }) => falseStops),
  detections: byLaw.flatMap(({ detections }) => detections),
};
writeResults("simulate", results);
if (!values.quick)
  writeFileSync(
    pathOf("../../bench/results/simulate.svg"),
    renderChart(results.detections),
  );
console.log(renderTable(results));
console.error(`${Math.round((performance.now() - started) / 1000)} s`);

function simulateInThread(law: string, size: Size): Promise<Results> {
  const path = pathOf("./simulate/law-worker.js");
  const worker = new Worker(path, { workerData: { law, size } });
  return new Promise((resolve, reject) => {
    worker.once("message", resolve);
    worker.once("error", reject);
  });
}
