/** Puts the tables of bench/results/latest.json into the README; `--check` fails when they are others. */
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { renderReadme } from "./compare/readme.js";
import type { Results } from "./compare/results.js";
import { renewSection } from "./readme-section.js";
import { pathOf } from "./with-system.js";

const { values } = parseArgs({
  options: { check: { type: "boolean", default: false } },
});
const results = JSON.parse(
  readFileSync(pathOf("../../bench/results/latest.json"), "utf8"),
) as Results;
const wasThere = await renewSection("bench", renderReadme(results), values);
if (values.check && !wasThere) {
  console.error("README: its figures are not those of latest.json");
  process.exitCode = 1;
}
