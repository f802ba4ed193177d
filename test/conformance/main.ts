/**
 * Plays the conformance cases on other people's proxies, to show where they stand, and prints a table of verdicts:
 *
 *     npm run conformance -- [--grep TEXT] nginx haproxy http-proxy
 *
 * Our own engines can be named as well (`serin http-proxy`). Whatever the verdicts, the run succeeds.
 */
import { parseArgs } from "node:util";
import { startPrivateRedis } from "../support/redis/private-redis.js";
import { findOnPath } from "../support/needed-program.js";
import { describeEngine, ENGINES } from "../support/products/engines.js";
import { HAPROXY, NGINX, PLAIN_PROXY } from "../support/products/others.js";
import type { Product } from "../support/products/product.js";
import { Fault, type Case } from "./case.js";
import { CHAPTERS } from "./chapters.js";
import { Theatre } from "./theatre.js";

const PRODUCTS: readonly Product[] = [
  NGINX,
  HAPROXY,
  PLAIN_PROXY,
  ...ENGINES.map(describeEngine),
];

interface Row {
  chapter: string;
  name: string;
  /** By product: `ok`, or what was wrong. */
  verdicts: Map<string, { verdict: string; detail: string }>;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { grep: { type: "string" }, details: { type: "boolean" } },
});
const products = choose(positionals);
const rows: Row[] = CHAPTERS.flatMap(({ title, cases }) =>
  cases
    .filter(({ name }) => `${title} ${name}`.includes(values.grep ?? ""))
    .map(({ name }) => ({ chapter: title, name, verdicts: new Map() })),
);
const redis = await startPrivateRedis();
try {
  for (const product of products) await playAll(product);
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
      throw new Error(`unknown product ${name}: there are ${known}`);
    }
    const { needs } = product;
    if (needs !== undefined && findOnPath(needs.names) === undefined)
      throw new Error(
        `${needs.names.join(", ")} is missing: apt-get install --no-install-recommends ${needs.debianPackage}`,
      );
    return product;
  });
}

async function playAll(product: Product): Promise<void> {
  const theatre = new Theatre(product, redis.url);
  await theatre.open();
  try {
    for (const { title, cases } of CHAPTERS)
      for (const played of cases) {
        const row = rows.find(
          ({ chapter, name }) => chapter === title && name === played.name,
        );
        if (row === undefined) continue;
        const judged = await judge(theatre, product, played);
        row.verdicts.set(product.name, judged);
        const { verdict, detail } = judged;
        console.error(
          `${product.name}  ${verdict.padEnd(8)} ${title}: ${played.name}  ${detail}`,
        );
      }
  } finally {
    await theatre.close();
  }
}

async function judge(
  theatre: Theatre,
  product: Product,
  played: Case,
): Promise<{ verdict: string; detail: string }> {
  if (played.oursOnly === true && !product.isOurs)
    return { verdict: "-", detail: "" };
  try {
    await theatre.play(played);
    return { verdict: "ok", detail: "" };
  } catch (err) {
    return err instanceof Fault
      ? { verdict: err.kind, detail: err.message }
      : { verdict: "?", detail: String(err) };
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
  let chapter = "";
  for (const row of rows) {
    if (row.chapter !== chapter) console.log(`\n${row.chapter}`);
    chapter = row.chapter;
    const cells = columns.map((name) => row.verdicts.get(name)?.verdict ?? "");
    console.log(`${row.name.padEnd(width)}  ${line(cells)}`);
  }
  const counts = columns.map((name) => {
    const verdicts = rows.map((row) => row.verdicts.get(name)?.verdict);
    const good = verdicts.filter((verdict) => verdict === "ok").length;
    const judged = verdicts.filter((verdict) => verdict !== "-").length;
    return `${good}/${judged}`;
  });
  console.log(`\n${"ok".padEnd(width)}  ${line(counts)}`);
}
