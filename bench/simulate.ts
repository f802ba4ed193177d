/**
 * Simulates releases, prints how often each method stops a healthy one and how soon a worse one, and writes
 * bench/results/simulate.json. Each law has a thread. `--quick` takes seconds, to check that the simulation works;
 * `--releases 100` simulates as many healthy ones of each kind instead of 1,000, and as much less of the others.
 */
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { Worker } from "node:worker_threads";
import { pathOf, writeResults } from "./results-file.js";
import { renderChart } from "./simulate/chart.js";
import { ALPHA } from "./simulate/methods.js";
import type { Results, Size } from "./simulate/run.js";
import { renderTable } from "./simulate/table.js";
import {
  HARD_EDGE,
  LAWS,
  REQUESTS_PER_SECOND,
  shareOf,
} from "./simulate/traffic.js";

const FULL: Size = {
  ...{ healthy: 1000, changed: 500, late: 50 },
  ...{ lateMinutes: [10, 60], seconds: 300 },
};
const QUICK: Size = {
  ...{ healthy: 1, changed: 1, late: 1 },
  ...{ lateMinutes: [2], seconds: 60 },
};

const { values } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    releases: { type: "string" },
  },
});
const size = values.quick
  ? QUICK
  : sizeOf(Number(values.releases ?? FULL.healthy));
const started = performance.now();
const laws = values.quick ? ["lognormal", HARD_EDGE] : Object.keys(LAWS);
const byLaw = await Promise.all(laws.map((law) => simulateInThread(law, size)));
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

function sizeOf(healthy: number): Size {
  const part = (of: number) => Math.ceil((of * healthy) / FULL.healthy);
  const [changed, late] = [part(FULL.changed), part(FULL.late)];
  return { ...FULL, healthy, changed, late };
}
