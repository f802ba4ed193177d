import type { RunFacts } from "./results-file.js";

/** Of one program over a while. */
export interface Usage {
  /** Of one core. */
  cpuRatio: number;
  rssMb: number;
}

/** What `npm run bench:dashboard` measured. */
export interface DashboardResults extends RunFacts {
  /** Compressed, by path. */
  fileBytes: Record<string, number>;
  /** Of each opening with nothing cached; none without a browser. */
  firstChartMs: number[];
  pages: number;
  withoutPages: Usage;
  withPages: Usage;
  scrapeCpuMs: Record<"proxy" | "monitor" | "agent", number>;
}

/** For the README. */
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
    `| the dashboard and the metrics | on ${results.cores} cores, load average ${results.loadAverage} |`,
    "| --- | --- |",
    `| the page, compressed | ${kilobytes.toFixed(1)} kB in ${Object.keys(fileBytes).length} files |`,
    `| its first chart, on the loopback, nothing cached | after ${median ?? "–"} ms (${times[0] ?? "–"}–${times.at(-1) ?? "–"}) |`,
    `| the monitor with ${pages} open pages, of a core | ${percent(withPages.cpuRatio)}, without ${percent(withoutPages.cpuRatio)} |`,
    `| its memory | ${withPages.rssMb.toFixed(0)} MB, without ${withoutPages.rssMb.toFixed(0)} MB |`,
    `| a scrape each second, of a core | ${scraped.join(", ")} |`,
  ].join("\n");
}
