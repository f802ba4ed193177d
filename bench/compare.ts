/**
 * Compares the proxy with others in one interleaved run, prints tables and writes bench/results/latest.json.
 *
 *     npm run bench -- [--quick] [--only tiny,64k,post,browser,1000,latency,flips]
 *
 * `--quick` takes a minute, only checks that the benchmark works, and writes latest-quick.json. `--only` writes nothing. Any
 * response other than 2xx fails the run.
 */
import { parseArgs } from "node:util";
import { compare, FULL, QUICK } from "./compare/compare.js";
import { ARE_CORES_SHARED } from "./compare/cores.js";
import { findNode } from "./compare/node-binary.js";
import { renderReport } from "./compare/report.js";
import { SCENARIOS } from "./compare/scenarios.js";
import { renderText } from "./compare/tables.js";
import { writeResults } from "./results-file.js";

const PARTS = [...SCENARIOS.map(({ name }) => name), "latency", "flips"];

const { values } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    only: { type: "string" },
  },
});
const { quick } = values;
const parts = values.only?.split(",") ?? PARTS;
const unknown = parts.filter((part) => !PARTS.includes(part));
if (unknown.length > 0)
  throw new Error(`no such part: ${unknown.join(", ")}; ${PARTS.join(", ")}`);
if (ARE_CORES_SHARED)
  console.error("one core only: the load disturbs the measurement");

const startedAt = performance.now();
const results = await compare({
  quick,
  parts,
  size: quick ? QUICK : FULL,
  node: findNode(process.env),
  say: (what) => console.error(`measuring: ${what} …`),
});
console.log(renderReport(results, renderText));
console.error(`${Math.round((performance.now() - startedAt) / 1000)} s`);
if (values.only === undefined) writeResults("latest", results);
