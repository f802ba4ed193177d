/**
 * Measures the canary loop on the real programs, prints a table and writes bench/results/loop.json. `--quick` takes a few
 * seconds and measures little: it shows that the benchmark still works, and writes loop-quick.json.
 */
import { parseArgs } from "node:util";
import {
  measureDetection,
  type DetectionFigures,
} from "./measure-detection.js";
import { measureFlips, type FlipFigures } from "./measure-flips.js";
import { measureMemory, type MemoryFigures } from "./measure-memory.js";
import { describeRun, writeResults, type RunFacts } from "./results-file.js";
import type { Spread } from "./statistics.js";

const FULL = {
  flips: 50,
  detections: 10,
  // Longer than the latency rule's window.
  healthyMs: 11_000,
  memoryMarks: [20_000, 200_000],
};
const QUICK = {
  flips: 3,
  detections: 1,
  healthyMs: 1000,
  memoryMarks: [500, 2000],
};

interface Results extends RunFacts {
  at: string;
  /** At a steady pace, and with the machine saturated. */
  flips: { paced: FlipFigures; saturated: FlipFigures };
  detection: DetectionFigures;
  memory: MemoryFigures;
}

const { values } = parseArgs({
  options: { quick: { type: "boolean", default: false } },
});
const { quick } = values;
const size = quick ? QUICK : FULL;

const run = { at: new Date().toISOString(), ...describeRun(quick) };
const flips = await step("flips under load", () => measureFlips(size.flips));
const detection = await step("a canary that turns slow", () =>
  measureDetection(size.detections, size.healthyMs),
);
const memory = await step("the proxy's memory", () =>
  measureMemory(size.memoryMarks),
);
const results: Results = { ...run, flips, detection, memory };

writeResults("loop", results);
console.log(describe(results));

async function step<T>(what: string, measure: () => Promise<T>): Promise<T> {
  console.error(`measuring: ${what} …`);
  return await measure();
}

function describe({ flips, detection, memory, ...on }: Results): string {
  const rows: [string, string][] = [
    ...describeFlips(flips.paced),
    ...describeFlips(flips.saturated),
    [
      `canary turning slow to the flag's being false, ${detection.requestsPerSecond} requests/s`,
      `${describeSpread(detection.toFlagFalse, "ms")} (${detection.runs} runs, ${detection.failures} requests failed)`,
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

function describeFlips(figures: FlipFigures): [string, string][] {
  const load = `${figures.connections} connections, ${Math.round(figures.requestsPerSecond)} requests/s`;
  return [
    [
      `flip to the last canary request started, ${load}`,
      `${describeSpread(figures.fromSending, "ms")} (${figures.flips} flips, ${figures.failures} requests failed)`,
    ],
    [
      "  of these, started after the SET's reply",
      describeSpread(figures.startsAfterReply, "requests"),
    ],
  ];
}

function describeSpread({ median, max }: Spread, unit: string): string {
  return `median ${median} ${unit}, max ${max} ${unit}`;
}
