import type { RunFacts } from "./results-file.js";

/** One program's usage over a period. */
export interface Usage {
  /** As a share of one core. */
  cpuRatio: number;
  rssMb: number;
}

/** The results of `npm run bench:dashboard`. */
export interface DashboardResults extends RunFacts {
  /** Compressed, by path. */
  fileBytes: Record<string, number>;
  /** For each opening with an empty cache; empty without a browser. */
  firstChartMs: number[];
  pages: number;
  withoutPages: Usage;
  withPages: Usage;
  scrapeCpuMs: Record<"proxy" | "monitor" | "agent", number>;
}

/** For docs/performance.md. */
export function renderDashboard(results: DashboardResults): string {
  const { fileBytes, firstChartMs, pages, scrapeCpuMs } = results;
  const { withoutPages, withPages } = results;
  const kilobytes = Object.values(fileBytes).reduce((a, b) => a + b, 0) / 1000;
  const times = firstChartMs.toSorted((a, b) => a - b);
  const median = times[Math.floor(times.length / 2)];
  const percent = (ratio: number) => `${Number((ratio * 100).toFixed(2))} %`;
  const scraped = Object.entries(scrapeCpuMs).map(
    ([program, ms]) => `${program} ${percent(ms / 1000)}`,
  );
  return [
    `| dashboard and metrics | ${results.cores} cores, load average ${results.loadAverage} |`,
    "| --- | --- |",
    `| size of the page, compressed | ${kilobytes.toFixed(1)} kB in ${Object.keys(fileBytes).length} files |`,
    `| first chart, on loopback, nothing cached | after ${median ?? "–"} ms (${times[0] ?? "–"}–${times.at(-1) ?? "–"}) |`,
    `| CPU of the monitor, of one core | ${percent(withPages.cpuRatio)} with ${pages} open pages, ${percent(withoutPages.cpuRatio)} with none |`,
    `| memory of the monitor | ${withPages.rssMb.toFixed(0)} MB with ${pages} open pages, ${withoutPages.rssMb.toFixed(0)} MB with none |`,
    `| CPU of a scrape each second, of one core | ${scraped.join(", ")} |`,
  ].join("\n");
}
