/**
 * Measures the canary loop on the real programs, prints a table and writes bench/results/loop.json. `--quick` takes a few
 * seconds and measures little: it shows that the benchmark still works, and writes loop-quick.json.
 */
import { parseArgs } from "node:util";
import { measureDetection, type DetectionFigures } from "./loop/detection.js";
import { measureMemory, type MemoryFigures } from "./loop/memory.js";
import { describeRun, writeResults, type RunFacts } from "./results-file.js";
import { formatRange } from "./compare/tables.js";

const FULL = {
  detections: 10,
  // Longer than the latency rule's window.
  healthyMs: 11_000,
  memoryMarks: [20_000, 200_000],
};
const QUICK = {
  detections: 1,
  healthyMs: 1000,
  memoryMarks: [500, 2000],
};

interface Results extends RunFacts {
  at: string;
  detection: DetectionFigures;
  memory: MemoryFigures;
}

const { values } = parseArgs({
  options: { quick: { type: "boolean", default: false } },
});
const { quick } = values;
const size = quick ? QUICK : FULL;

const run = { at: new Date().toISOString(), ...describeRun(quick) };
const detection = await step("a canary that turns slow", () =>
  measureDetection(size.detections, size.healthyMs),
);
const memory = await step("the proxy's memory", () =>
  measureMemory(size.memoryMarks),
);
const results: Results = { ...run, detection, memory };

writeResults("loop", results);
console.log(describe(results));

async function step<T>(what: string, measure: () => Promise<T>): Promise<T> {
  console.error(`measuring: ${what} …`);
  return await measure();
}

function describe({ detection, memory, ...on }: Results): string {
  const rows: [string, string][] = [
    [
      `from a slow canary to a false flag, ${detection.requestsPerSecond} requests/s`,
      `${formatRange(detection.toFlagFalse)} ms (${detection.runs} runs, ${detection.failures} requests failed)`,
    ],
    ...memory.marks.map(({ requests, rssMb, liveHeapMb }): [string, string] => [
      `proxy's memory after ${requests.toLocaleString("en-US")} requests`,
      `${rssMb} MB resident, ${liveHeapMb} MB of live heap`,
    ]),
  ];
  const width = Math.max(...rows.map(([label]) => label.length));
  const lines = rows.map(([label, text]) => `${label.padEnd(width)}  ${text}`);
  const machine = `Node ${on.node}, ${on.cores} × ${on.cpu}, load average ${on.loadAverage} at the start`;
  return [machine, ...lines].join("\n");
}
