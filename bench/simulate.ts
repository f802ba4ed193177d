/**
 * Simulates releases, and writes how many healthy ones the verdict stops and how soon worse ones to
 * bench/results/simulate.json. All on one core, in about an hour. `--quick` takes seconds, to check that the simulation works;
 * `--releases 0.1` simulates a tenth of the usual number. `--part worse` renews only the rows of that table, `--only "^× 2$"`
 * those with such a name.
 */
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { describeRun, pathOf, writeResults } from "./results-file.js";
import { describeStops, type Figures } from "./simulate/figures.js";
import { nameStall, runRelease } from "./simulate/release.js";
import { RIVALS } from "./simulate/rivals.js";
import { SCENARIOS, type Scenario } from "./simulate/scenarios.js";
import type { SimulationResults } from "./simulate/tables.js";

const STALLS_MS = [2500, 5000];

const { values } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    releases: { type: "string", default: "1" },
    part: { type: "string" },
    only: { type: "string", default: "" },
  },
});
const { quick, part, only } = values;
const run = describeRun(quick);
const rows = new Map(
  quick ? [] : readRows().map((row) => [nameOf(row), row] as const),
);
const chosen = SCENARIOS.filter(
  (scenario, i) =>
    (part ?? scenario.part) === scenario.part &&
    new RegExp(only).test(scenario.name) &&
    // One law of each.
    (!quick || scenario.name !== SCENARIOS[i - 1]?.name),
);
for (const scenario of chosen) {
  const started = performance.now();
  const row = simulate(quick ? hurry(scenario) : scenario);
  rows.set(nameOf(row), row);
  const inOrder = SCENARIOS.flatMap(
    ({ part, name, plan }) =>
      rows.get(nameOf({ part, name, law: plan.traffic.law })) ?? [],
  );
  const results: SimulationResults = { ...run, rows: inOrder };
  writeResults("simulate", results);
  const seconds = Math.round((performance.now() - started) / 1000);
  console.log(`${nameOf(row)}: ${JSON.stringify(row.stopped)} (${seconds} s)`);
}

function simulate({ part, name, plan, releases }: Scenario): Figures {
  const count = Math.ceil(Number(values.releases) * releases);
  const hasRivals = part === "rivals";
  const isHealthy = part === "healthy" || name.startsWith("healthy");
  const runs = Array.from({ length: count }, (_, i) => {
    const seed = seedOf(`${part} ${name} ${plan.traffic.law}`) + i;
    const run = (stallsMs: readonly number[]) =>
      runRelease(plan, { seed, stallsMs, hasRivals });
    if (!isHealthy || hasRivals) return run(STALLS_MS);
    // With longer stalls forgiven there is less evidence: what is not stopped here is not stopped there.
    const stops = run(STALLS_MS.slice(0, 1));
    return stops.size === 0 ? stops : run(STALLS_MS);
  });
  const names = [...STALLS_MS.map(nameStall), ...(hasRivals ? RIVALS : [])];
  const stopped = Object.fromEntries(
    names.map((by) => {
      const stops = runs.map((stops) => stops.get(by));
      return [by, describeStops(stops, isHealthy)];
    }),
  );
  return { part, name, law: plan.traffic.law, releases: count, stopped };
}

function hurry(scenario: Scenario): Scenario {
  const { plan } = scenario;
  const countFrom = Math.min(plan.countFrom ?? 0, 60);
  return {
    ...scenario,
    releases: 1,
    plan: {
      ...plan,
      seconds: Math.min(plan.seconds, 60 / Math.min(1, plan.traffic.perSecond)),
      ...(plan.countFrom !== undefined && { countFrom }),
    },
  };
}

function nameOf({
  part,
  name,
  law,
}: Pick<Figures, "part" | "name" | "law">): string {
  return `${part}: ${name}, ${law}`;
}

function seedOf(name: string): number {
  let hash = 0;
  for (const letter of name)
    hash = (Math.imul(hash, 31) + letter.charCodeAt(0)) % 1_000_000;
  return Math.abs(hash) * 1000;
}

function readRows(): Figures[] {
  const path = pathOf("../../bench/results/simulate.json");
  return (JSON.parse(readFileSync(path, "utf8")) as SimulationResults).rows;
}
