/** Puts the table of bench/results/dashboard.json into the README; `--check` fails when it is another one. */
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { renderDashboard, type DashboardResults } from "./dashboard-results.js";
import { renewSection } from "./readme-section.js";
import { pathOf } from "./with-system.js";

const { values } = parseArgs({
  options: { check: { type: "boolean", default: false } },
});
const results = JSON.parse(
  readFileSync(pathOf("../../bench/results/dashboard.json"), "utf8"),
) as DashboardResults;
const wasThere = await renewSection(
  "dashboard",
  renderDashboard(results),
  values,
);
if (values.check && !wasThere) {
  console.error("README: its table is not that of dashboard.json");
  process.exitCode = 1;
}
