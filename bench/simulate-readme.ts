/** Puts the table of bench/results/simulate.json into the README, and draws its chart; `--check` fails when it is another one. */
import { readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { renewSection } from "./readme-section.js";
import { renderChart } from "./simulate/chart.js";
import type { Results } from "./simulate/run.js";
import { renderTable } from "./simulate/table.js";
import { pathOf } from "./with-system.js";

const { values } = parseArgs({
  options: { check: { type: "boolean", default: false } },
});
const results = JSON.parse(
  readFileSync(pathOf("../../bench/results/simulate.json"), "utf8"),
) as Results;
const wasThere = await renewSection("simulate", renderTable(results), values);
if (!values.check) {
  const chart = pathOf("../../bench/results/simulate.svg");
  writeFileSync(chart, renderChart(results.detections));
} else if (!wasThere) {
  console.error("README: its table is not that of simulate.json");
  process.exitCode = 1;
}
