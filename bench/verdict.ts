/**
 * Measures the verdict's cost, for the monitor each second and for the proxy each request, and writes
 * bench/results/verdict.json. `--quick` measures briefly, to check that the benchmark works.
 */
import { parseArgs } from "node:util";
import { measureJudging } from "./verdict/judging.js";
import { measureRoutes } from "./verdict/routes.js";
import type { VerdictResults } from "./verdict/cost.js";
import { describeRun, writeResults } from "./results-file.js";

const { values } = parseArgs({
  options: { quick: { type: "boolean", default: false } },
});
const { quick } = values;
const results: VerdictResults = {
  ...describeRun(quick),
  judging: measureJudging(quick ? 5 : 100),
  routes: await measureRoutes(quick ? 500 : 20_000),
};
console.log(writeResults("verdict", results));
