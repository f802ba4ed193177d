/**
 * Measures on the real programs how soon a canary is stopped that turns slow, or twice as slow, and writes
 * bench/results/detection.json.
 * `--quick` measures once, to check that the benchmark works, and writes detection-quick.json.
 */
import { parseArgs } from "node:util";
import { formatRange } from "./compare/tables.js";
import { measureDetection } from "./detection/measure.js";
import { measureSlower, type DetectionResults } from "./detection/slower.js";
import { describeRun, writeResults } from "./results-file.js";

const { values } = parseArgs({
  options: { quick: { type: "boolean", default: false } },
});
const { quick } = values;
const run = { at: new Date().toISOString(), ...describeRun(quick) };
// Healthy for longer than the latency rule's window.
const detection = quick
  ? await measureDetection(1, 1000)
  : await measureDetection(10, 11_000);
const slower = await measureSlower(quick ? 1 : 10);
const results: DetectionResults & { at: string } = {
  ...run,
  ...detection,
  slower,
};
writeResults("detection", results);
console.log(
  `from a slow canary to a false flag, ${detection.requestsPerSecond} requests/s: ` +
    `${formatRange(detection.toFlagFalse)} ms (${detection.runs} runs, ${detection.failures} requests failed)\n` +
    `from twice as slow to a closed canary: ${formatRange(slower.canaryRequests)} canary requests, ${formatRange(slower.seconds)} s`,
);
