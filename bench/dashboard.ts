/**
 * Measures what the dashboard costs, and prints it: the page's weight, the time to its first chart on the loopback, and the
 * monitor's CPU and memory with ten open pages and with none. `--quick` measures for seconds only.
 */
import { get } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { readUsage } from "../apps/agent/process-usage.js";
import { launchBrowser } from "../test/support/browser/chromium.js";
import { openUntilChart } from "../test/support/browser/first-chart.js";
import { call } from "../test/support/system/http-call.js";
import { NEVER_BREACH, underLoad, withSystem } from "./with-system.js";

const PAGES = 10;
const OPENINGS = 5;

const { values } = parseArgs({
  options: { quick: { type: "boolean", default: false } },
});
const measureMs = values.quick ? 3000 : 30_000;

await withSystem({ env: NEVER_BREACH }, (system) =>
  underLoad(system, { connections: 8, pauseMs: 100 }, async () => {
    const { pid, port } = system.monitor;
    for (const line of await weigh(port)) console.log(line);
    console.log(await timeFirstChart(port));
    const none = await measure(pid);
    console.log(`no page:   ${describe(none)}`);
    const streams = Array.from({ length: PAGES }, () =>
      get({ port, path: "/api/stream", agent: false }, (response) =>
        response.resume(),
      ).on("error", () => undefined),
    );
    const many = await measure(pid);
    for (const stream of streams) stream.destroy();
    console.log(`${PAGES} pages:  ${describe(many)}`);
    const ratio = many.cpuRatio / none.cpuRatio;
    console.log(`CPU × ${ratio.toFixed(2)}`);
  }),
);

interface Usage {
  cpuRatio: number;
  rssMb: number;
}

async function measure(pid: number): Promise<Usage> {
  const before = await readUsage(pid);
  await sleep(measureMs);
  const after = await readUsage(pid);
  if (before === undefined || after === undefined)
    throw new Error("the monitor is gone");
  return {
    cpuRatio: (after.cpuMs - before.cpuMs) / (after.readAt - before.readAt),
    rssMb: after.rssBytes / 1e6,
  };
}

function describe({ cpuRatio, rssMb }: Usage): string {
  return `${(cpuRatio * 100).toFixed(1)} % of a core, ${rssMb.toFixed(0)} MB`;
}

async function weigh(port: number): Promise<string[]> {
  const { body } = await call({ port, path: "/" });
  const names = [...body.matchAll(/"\/([\w-]+\.(?:js|css|svg))"/g)];
  const paths = ["/", ...names.map(([, name]) => `/${name ?? ""}`)];
  const weights = await Promise.all(
    paths.map(async (path) => {
      const response = await fetch(`http://127.0.0.1:${port}${path}`, {
        method: "HEAD",
        headers: { "accept-encoding": "br" },
      });
      return Number(response.headers.get("content-length"));
    }),
  );
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return [
    `page: ${(total / 1000).toFixed(1)} kB compressed`,
    ...paths.map((path, i) => `  ${path} ${weights[i] ?? 0} bytes`),
  ];
}

async function timeFirstChart(port: number): Promise<string> {
  const browser = await launchBrowser();
  if (browser === undefined) return "first chart: no browser here";
  try {
    const times: number[] = [];
    for (let i = 0; i < OPENINGS; i++)
      times.push(await openUntilChart(browser, port));
    const shown = times.map((ms) => ms.toFixed(0)).join(", ");
    return `first chart after ${shown} ms`;
  } finally {
    await browser.close();
  }
}
