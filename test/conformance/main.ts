/**
 * Runs the conformance cases on other proxies and prints a table of results:
 *
 *     npm run conformance -- [--grep TEXT] nginx haproxy http-proxy
 *
 * Our own engines can be named as well (`serin http-proxy`). The exit status is 0 whatever the results.
 */
import { parseArgs } from "node:util";
import { startPrivateRedis } from "../support/redis/private-redis.js";
import { findOnPath } from "../support/needed-program.js";
import { describeEngine, ENGINES } from "../support/products/engines.js";
import { HAPROXY, NGINX, PLAIN_PROXY } from "../support/products/others.js";
import type { Product } from "../support/products/product.js";
import { Fault, type Case } from "./case.js";
import { GROUPS } from "./groups.js";
import { CaseRunner } from "./case-runner.js";

const PRODUCTS: readonly Product[] = [
  NGINX,
  HAPROXY,
  PLAIN_PROXY,
  ...ENGINES.map(describeEngine),
];

interface Row {
  group: string;
  name: string;
  /** By product: `ok`, or the kind of fault. */
  results: Map<string, { result: string; detail: string }>;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { grep: { type: "string" }, details: { type: "boolean" } },
});
const products = choose(positionals);
const rows: Row[] = GROUPS.flatMap(({ title, cases }) =>
  cases
    .filter(({ name }) => `${title} ${name}`.includes(values.grep ?? ""))
    .map(({ name }) => ({ group: title, name, results: new Map() })),
);
const redis = await startPrivateRedis();
try {
  for (const product of products) await runAll(product);
} finally {
  await redis.stop();
}
printTable();

function choose(names: readonly string[]): Product[] {
  const wanted = names.length > 0 ? names : ["nginx", "haproxy", "http-proxy"];
  return wanted.map((name) => {
    const product = PRODUCTS.find((it) => it.name === name);
    if (product === undefined) {
      const known = PRODUCTS.map((it) => JSON.stringify(it.name)).join(", ");
      throw new Error(`unknown product ${name}: expected one of ${known}`);
    }
    const { needs } = product;
    if (needs !== undefined && findOnPath(needs.names) === undefined)
      throw new Error(
        `${needs.names.join(", ")} is missing: apt-get install --no-install-recommends ${needs.debianPackage}`,
      );
    return product;
  });
}

async function runAll(product: Product): Promise<void> {
  const runner = new CaseRunner(product, redis.url);
  await runner.open();
  try {
    for (const { title, cases } of GROUPS)
      for (const testCase of cases) {
        const row = rows.find(
          ({ group, name }) => group === title && name === testCase.name,
        );
        if (row === undefined) continue;
        const outcome = await runCase(runner, product, testCase);
        row.results.set(product.name, outcome);
        const { result, detail } = outcome;
        console.error(
          `${product.name}  ${result.padEnd(8)} ${title}: ${testCase.name}  ${detail}`,
        );
      }
  } finally {
    await runner.close();
  }
}

async function runCase(
  runner: CaseRunner,
  product: Product,
  testCase: Case,
): Promise<{ result: string; detail: string }> {
  if (testCase.oursOnly === true && !product.isOurs)
    return { result: "-", detail: "" };
  try {
    await runner.run(testCase);
    return { result: "ok", detail: "" };
  } catch (err) {
    return err instanceof Fault
      ? { result: err.kind, detail: err.message }
      : { result: "?", detail: String(err) };
  }
}

function printTable(): void {
  const width = Math.max(...rows.map(({ name }) => name.length));
  const columns = products.map(({ name }) => name);
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, i) => cell.padEnd(Math.max(9, (columns[i] ?? "").length + 1)))
      .join(" ");
  console.log(`${"".padEnd(width)}  ${line(columns)}`);
  let group = "";
  for (const row of rows) {
    if (row.group !== group) console.log(`\n${row.group}`);
    group = row.group;
    const cells = columns.map((name) => row.results.get(name)?.result ?? "");
    console.log(`${row.name.padEnd(width)}  ${line(cells)}`);
  }
  const counts = columns.map((name) => {
    const results = rows.map((row) => row.results.get(name)?.result);
    const passed = results.filter((result) => result === "ok").length;
    const run = results.filter((result) => result !== "-").length;
    return `${passed}/${run}`;
  });
  console.log(`\n${"ok".padEnd(width)}  ${line(counts)}`);
}
