import { NODE_ALONE } from "./contestants.js";
import type { Machine } from "./machine.js";
import type { Results } from "./results.js";
import {
  formatRange,
  renderMarkdown,
  tabulateMemory,
  tabulateRatios,
  tabulateRatiosToPlain,
  tabulateTargets,
  type Table,
} from "./tables.js";

/** What the README says of a run. */
export function renderReadme(results: Results): string {
  return describe(results, renderMarkdown, "`");
}

/** @param render one of the two forms of a table */
export function describe(
  results: Results,
  render: (table: Table) => string,
  quote = "",
): string {
  const { at, quick, size, machine, latency, targets } = results;
  return [
    ...(quick
      ? [
          "A quick run: it shows that the benchmark works, and its figures nothing.",
        ]
      : []),
    `${quote}npm run bench${quote} on ${at.slice(0, 10)}, ${size.rounds} rounds of ${size.seconds} s: ${describeMachine(machine)}.`,
    render(tabulateRatios(results)),
    render(tabulateRatiosToPlain(results)),
    `${quote}${NODE_ALONE.name}${quote} is no proxy: a server that answers by itself, which a proxy in front of it cannot undercut.`,
    render(tabulateTargets(targets)),
    describeExactness(results),
    ...(latency === null ? [] : [describeGenerator(latency)]),
    render(tabulateMemory(results)),
  ].join("\n\n");
}

function describeMachine(machine: Machine): string {
  const { cpu, cores, kernel, node, nginx, haproxy, wrk, pinned } = machine;
  const { start, end } = machine.loadAverage;
  return (
    `${cores} × ${cpu}, Linux ${kernel}, ${pinned}; Node ${node}, nginx ${nginx}, HAProxy ${haproxy}, wrk ${wrk}; ` +
    `load average ${start} at the start, ${end} at the end`
  );
}

function describeExactness({ flips, split }: Results): string {
  const ofFlips = Object.entries(flips).map(
    ([name, { ms, connections }]) =>
      `Flag set to false to the last request that the proxy gave to the canary, ${name}, ${connections} saturated connections: ` +
      `${formatRange(ms)} ms over ${ms?.rounds ?? 0} flips.`,
  );
  const ofSplit = Object.entries(split).map(
    ([name, { requests, readings, maxDeviation }]) =>
      `Split of ${name}: at most ${maxDeviation} requests off at ${readings} readings over ` +
      `${requests.toLocaleString("en-US")} requests.`,
  );
  return [...ofFlips, ...ofSplit].join("\n");
}

function describeGenerator({
  requestsPerSecond,
  generatorLateness,
  generatorProof,
}: NonNullable<Results["latency"]>): string {
  const { p90, p99, p99FromSending } = generatorProof;
  return (
    `Open loop: ${requestsPerSecond.toLocaleString("en-US")} requests/s, Poisson, counted from when each was due. ` +
    `Its generator was late by ${formatRange(generatorLateness)} of the backend's own latency. ` +
    `Of a proxy that stood still for 1 s it saw a p90 of ${p90} and a p99 of ${p99} times the least that they can be; ` +
    `counted from the sending, as closed loops do, the p99 would have been ${p99FromSending} times that.`
  );
}
