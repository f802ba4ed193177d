/**
 * Measures what the verdict costs, the monitor each second and the proxy each request, and writes
 * bench/results/verdict.json. `--quick` measures little: it shows that the benchmark still works.
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
