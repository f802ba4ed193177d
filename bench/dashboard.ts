/**
 * Measures the cost of the dashboard and the metrics, and writes bench/results/dashboard.json: the page's weight, the time to
 * its first chart on the loopback, the monitor's CPU and memory with ten open pages and with none, and the CPU of a scrape
 * of each program. `--quick` measures for seconds only, to check that the benchmark works.
 */
import { get } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { readUsage } from "../apps/agent/process-usage.js";
import { launchBrowser } from "../test/support/browser/chromium.js";
import { openUntilChart } from "../test/support/browser/first-chart.js";
import { call } from "../test/support/system/http-call.js";
import type { DashboardResults, Usage } from "./dashboard-results.js";
import { describeRun, writeResults } from "./results-file.js";
import { medianOf } from "./statistics.js";
import { NEVER_BREACH, underLoad, withSystem } from "./with-system.js";

const PAGES = 10;
const OPENINGS = 5;
const ROUNDS = 5;

const { values } = parseArgs({
  options: { quick: { type: "boolean", default: false } },
});
const { quick } = values;
const measureMs = quick ? 500 : 10_000;
const scrapes = quick ? 20 : 500;
const run = describeRun(quick);
const results = await withSystem({ env: NEVER_BREACH }, (system) =>
  underLoad(
    system,
    { connections: 8, pauseMs: 100 },
    async (): Promise<DashboardResults> => {
      const { pid, port } = system.monitor;
      const { proxy, proxyAdminPort, canaryAgent } = system;
      return {
        ...run,
        fileBytes: await weigh(port),
        firstChartMs: await timeFirstChart(port),
        pages: PAGES,
        ...(await measurePages(pid, port)),
        scrapeCpuMs: {
          proxy: await measureScrape(proxy.pid, proxyAdminPort),
          monitor: await measureScrape(pid, port),
          agent: await measureScrape(canaryAgent.pid, canaryAgent.port),
        },
      };
    },
  ),
);
console.log(writeResults("dashboard", results));

async function readProcess(pid: number) {
  const usage = await readUsage({ pid });
  const cpuMs = usage?.cpuMs.get(pid);
  if (usage === undefined || cpuMs === undefined)
    throw new Error(`process ${pid} is gone`);
  return { ...usage, cpuMs };
}

async function measure(pid: number): Promise<Usage> {
  const before = await readProcess(pid);
  await sleep(measureMs);
  const after = await readProcess(pid);
  return {
    cpuRatio: (after.cpuMs - before.cpuMs) / (after.readAt - before.readAt),
    rssMb: after.rssBytes / 1e6,
  };
}

/** Alternates, so that other work on the machine affects both. */
async function measurePages(pid: number, port: number) {
  const without: Usage[] = [];
  const withThem: Usage[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    without.push(await measure(pid));
    withThem.push(await measureWithPages(pid, port));
  }
  return {
    withoutPages: medianUsage(without),
    withPages: medianUsage(withThem),
  };
}

function medianUsage(all: readonly Usage[]): Usage {
  return {
    cpuRatio: medianOf(all.map(({ cpuRatio }) => cpuRatio)),
    rssMb: medianOf(all.map(({ rssMb }) => rssMb)),
  };
}

async function measureWithPages(pid: number, port: number): Promise<Usage> {
  const streams = Array.from({ length: PAGES }, () =>
    get({ port, path: "/api/stream", agent: false }, (response) =>
      response.resume(),
    ).on("error", () => undefined),
  );
  const usage = await measure(pid);
  for (const stream of streams) stream.destroy();
  return usage;
}

/** A scrape's additional CPU time in the program. */
async function measureScrape(pid: number, port: number): Promise<number> {
  const idle = await measure(pid);
  const before = await readProcess(pid);
  for (let i = 0; i < scrapes; i++) await call({ port, path: "/metrics" });
  const after = await readProcess(pid);
  const tookMs = after.readAt - before.readAt;
  const cpuMs = after.cpuMs - before.cpuMs - idle.cpuRatio * tookMs;
  return Math.max(0, cpuMs) / scrapes;
}

/** Compressed, by path. */
async function weigh(port: number): Promise<Record<string, number>> {
  const { body } = await call({ port, path: "/" });
  const names = [...body.matchAll(/"\/([\w-]+\.(?:js|css|svg))"/g)];
  const paths = ["/", ...names.map(([, name]) => `/${name ?? ""}`)];
  const weights = await Promise.all(
    paths.map(async (path) => {
      const response = await fetch(`http://127.0.0.1:${port}${path}`, {
        method: "HEAD",
        headers: { "accept-encoding": "br" },
      });
      return [path, Number(response.headers.get("content-length"))] as const;
    }),
  );
  return Object.fromEntries(weights);
}

/** Empty without a browser. */
async function timeFirstChart(port: number): Promise<number[]> {
  const browser = await launchBrowser();
  if (browser === undefined) return [];
  try {
    const times: number[] = [];
    for (let i = 0; i < OPENINGS; i++)
      times.push(Math.round(await openUntilChart(browser, port)));
    return times;
  } finally {
    await browser.close();
  }
}
