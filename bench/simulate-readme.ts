/**
 * Puts the table of bench/results/simulate.json into the README, and draws its chart; and what verdict.json says of the
 * verdict's cost. `--check` fails when it says something else.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import type { RunFacts } from "./results-file.js";
import { renewSection } from "./readme-section.js";
import { renderChart } from "./simulate/chart.js";
import type { Results } from "./simulate/run.js";
import { renderTable } from "./simulate/table.js";
import type { JudgingFigures } from "./measure-judging.js";
import type { RouteFigures } from "./measure-routes.js";
import { pathOf } from "./with-system.js";

/** bench/results/verdict.json */
interface VerdictFigures extends RunFacts {
  judging: JudgingFigures;
  routes: RouteFigures;
}

const { values } = parseArgs({
  options: { check: { type: "boolean", default: false } },
});
const results = read("simulate.json") as Results;
const costs = read("verdict.json") as VerdictFigures;
const wasThere = [
  await renewSection("simulate", renderTable(results), values),
  await renewSection("verdict cost", describeCost(costs), values),
].every(Boolean);
if (!values.check) {
  const chart = pathOf("../../bench/results/simulate.svg");
  writeFileSync(chart, renderChart(results.detections));
} else if (!wasThere) {
  console.error("README: its figures are not those of the results");
  process.exitCode = 1;
}

function read(name: string): unknown {
  return JSON.parse(
    readFileSync(pathOf(`../../bench/results/${name}`), "utf8"),
  );
}

function describeCost({ judging, routes, cores, loadAverage }: VerdictFigures) {
  const ms = Math.round(judging.us.median / 1000);
  const load = `${cores} cores with a load of ${Math.round(loadAverage)}`;
  return (
    `With ${judging.routes} routes and ${judging.requestsPerSecond.toLocaleString("en-US")} requests a second it costs the ` +
    `monitor ${ms} ms of CPU a second to read the windows, to judge and to write the test down, and the proxy ` +
    `${routes.ratio.toFixed(2)} times the CPU a request (\`npm run bench:verdict\`; measured on ${load}).`
  );
}
