/**
 * Measures on the real programs what faults cost: of the canary, of Redis, and of a restarted proxy. Writes
 * bench/results/faults.json. `--quick` measures each once, to check that the benchmark works, and writes faults-quick.json.
 */
import { parseArgs } from "node:util";
import { FAULTS, measureStop } from "./faults/canary-stop.js";
import { measureRestarts } from "./faults/restarts.js";
import {
  renderFaults,
  type FaultResults,
  type StopFigures,
} from "./faults/results.js";
import { measureStalls } from "./faults/stalls.js";
import { describeRun, writeResults } from "./results-file.js";

const { values } = parseArgs({
  options: { quick: { type: "boolean", default: false } },
});
const { quick } = values;
const facts = describeRun(quick);
const stops: StopFigures[] = [];
for (const fault of FAULTS) {
  // A rare request takes minutes.
  const runs = quick || fault.perSecond < 1 ? 1 : 3;
  stops.push(await measureStop(fault, { runs, healthyMs: 11_000 }));
}
const results: FaultResults = {
  ...facts,
  stops,
  restarts: await measureRestarts(quick ? 1 : 3, quick ? [0, 60] : [0, 10, 60]),
  stalls: await measureStalls(quick ? 1 : 20),
};
writeResults("faults", results);
console.log(renderFaults(results));
