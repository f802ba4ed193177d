import { BASE, NODE_ALONE, nameOf, PLAIN } from "./contestants.js";
import { round, type Range } from "../statistics.js";
import type { Machine } from "./machine.js";
import type { Results } from "./results.js";
import {
  formatRange,
  renderMarkdown,
  tabulateExactness,
  tabulateLatency,
  tabulateMemory,
  tabulatePerCore,
  tabulateRatios,
  type Table,
} from "./tables.js";

/** All tables of a run. @param render one of the two table formats */
export function renderReport(
  results: Results,
  render: (table: Table) => string,
): string {
  const { at, quick, size, machine, latency } = results;
  return [
    ...(quick
      ? [
          "A quick run: it shows that the benchmark works, and its figures mean nothing.",
        ]
      : []),
    `Measured on ${at.slice(0, 10)}, ${size.rounds} rounds of ${size.seconds} s: ${describeMachine(machine)}.`,
    render(tabulatePerCore(results)),
    render(tabulateLatency(results)),
    ...(latency === null ? [] : [describeGenerator(latency)]),
    render(tabulateMemory(results)),
    render(tabulateRatios(results, BASE)),
    render(tabulateRatios(results, PLAIN)),
    `"${NODE_ALONE.name}" is not a proxy: it answers by itself. No proxy with node:http in front can cost less.`,
    render(tabulateExactness(results)),
    describeFlips(results),
  ].join("\n\n");
}

/** The README's table: the default engine's main figures. */
export function renderSummary(results: Results): string {
  const { cpu, latency, memory, flips, split } = results;
  const ours = nameOf("direct");
  const tiny = cpu.find(({ name }) => name === "tiny")?.perCoreSecond;
  const perCore = (product: string) =>
    tiny?.[product]?.median.toLocaleString("en-US") ?? "–";
  const added = (product: string) => {
    const p50 = latency?.addedP50Us[product];
    const p99 = latency?.addedP99Us[product];
    return `${toMs(p50)} ms median, ${toMs(p99)} ms p99`;
  };
  const resident = (product: string) => `${memory[product]?.endMb ?? "–"} MB`;
  const row = (title: string, figure: (product: string) => string) => [
    title,
    ...[ours, BASE, PLAIN].map(figure),
  ];
  const flip = flips[ours]?.ms;
  return [
    renderMarkdown([
      ["", "Serin", BASE, PLAIN],
      row("requests/s on one core (tiny GET)", perCore),
      row("added latency", added),
      row("memory after 1,000 connections", resident),
    ]),
    `A flag set to false stops the canary within ${flip?.median ?? "–"} ms (at most ${flip?.max ?? "–"} ms). ` +
      `The split was never more than ${split[ours]?.maxDeviation ?? "–"} requests off.`,
  ].join("\n\n");
}

function toMs(us: Range | null | undefined): number | string {
  return us ? round(us.median / 1000) : "–";
}

function describeMachine(machine: Machine): string {
  const { cpu, cores, kernel, node, nginx, haproxy, wrk, pinned } = machine;
  const { start, end } = machine.loadAverage;
  return (
    `${cores} × ${cpu}, Linux ${kernel}, ${pinned}; Node ${node}, nginx ${nginx}, HAProxy ${haproxy}, wrk ${wrk}; ` +
    `load average ${start} at the start, ${end} at the end`
  );
}

function describeFlips({ flips }: Results): string {
  const [figures] = Object.values(flips);
  if (figures === undefined) return "";
  return `Flips: ${figures.ms?.rounds ?? 0} for each engine, under ${figures.connections} saturated connections.`;
}

function describeGenerator({
  requestsPerSecond,
  generatorLateness,
  generatorProof,
}: NonNullable<Results["latency"]>): string {
  const { p90, p99, p99FromSending } = generatorProof;
  return (
    `Latency is measured with an open loop: ${requestsPerSecond.toLocaleString("en-US")} requests/s, Poisson arrivals, ` +
    `counted from when each request was due. ` +
    `The generator's own lateness was ${formatRange(generatorLateness)} of the backend's latency. ` +
    `As a check, a proxy was stopped for 1 s: the open loop reported ${p90} times the least possible p90 and ${p99} times the least possible p99. ` +
    `A closed loop would have reported ${p99FromSending} times the latter.`
  );
}
