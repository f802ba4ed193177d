import { expect } from "chai";
import type { Page } from "playwright-core";
import { useBrowser } from "../support/browser/chromium.js";
import { openDashboardPage } from "../support/browser/dashboard-page.js";
import { startFedMonitor } from "../support/browser/fed-monitor.js";
import {
  healthy,
  routeWindow,
  slowerBy,
} from "../support/monitor/verdict-traffic.js";
import { createSeededRandom } from "../support/seeded-random.js";
import { waitFor } from "../support/wait-for.js";

const MS = /^[\d.,]+ ms$/;
const PER_SECOND = /^[\d.]+\/s$/;
const PERCENT = /^[\d.]+ %$/;
const MEGABYTES = /^\d+ MB$/;
/** Across all charts: six latencies, the split, and two each of requests, errors, CPU and memory. */
const LINES = 15;
/** The time range of a chart. */
const SPAN_MS = 900_000;

describe("dashboard content", function () {
  this.timeout(60_000);

  const browser = useBrowser();

  it("shows a value in every legend and host column, and a tooltip on every mark", async () => {
    const { monitor } = await startFedMonitor();
    const reason = "a test asks for it";
    await monitor.postFlag({ value: false, reason });
    await monitor.postFlag({ value: true, reason });
    const { page } = await openDashboardPage(browser(), monitor.port);
    const legends = await waitFor("a value for each line", async () => {
      const entries = await readLegends(page);
      const isComplete =
        entries.length === LINES &&
        entries.every(([, , value]) => value !== "–");
      return isComplete && entries;
    });
    for (const [chart, line, shape] of [
      ["Latency", /^(prod|canary) p(50|95|99)$/, MS],
      ["Requests", /^(prod|canary)$/, PER_SECOND],
      ["Errors", /^(prod|canary)$/, PERCENT],
      ["Split", /^canary$/, PERCENT],
      ["CPU", /^(prod|canary) \S+$/, PERCENT],
      ["Memory", /^(prod|canary) \S+$/, MEGABYTES],
    ] as const) {
      const lines = legends.filter(([title]) => title.startsWith(chart));
      expect(lines, chart).to.have.length(
        { Latency: 6, Split: 1 }[chart as string] ?? 2,
      );
      for (const [, label, value] of lines) {
        expect(label, chart).to.match(line);
        expect(value, `${chart}, ${label}`).to.match(shape);
      }
    }
    const cells = page.locator("#hosts tr").last().locator("td");
    const shapes = [
      ...[/^\S+$/, /^canary$/, /^healthy$/, /^\d+\.\d+\.\d+/, /^\d+$/],
      ...[
        /^\d\d:\d\d:\d\d UTC \(\d+ s\)$/,
        PERCENT,
        MEGABYTES,
        MS,
        /^\d s ago$/,
      ],
    ];
    // A host whose sample is late is not healthy until the next one.
    const texts = await waitFor("the canary's host to be healthy", async () => {
      const read = (await cells.allInnerTexts()).map((text) => text.trim());
      return read[2] === "healthy" && /^\d s ago$/.test(read[9] ?? "") && read;
    });
    for (const [i, shape] of shapes.entries()) expect(texts[i]).to.match(shape);
    await pointAtNewestMark(
      page,
      (await monitor.events("kind=flip")).at(-1)!.at,
    );
    const tip = page.locator(".chart-tip:visible");
    await waitFor("the mark's tooltip", async () =>
      /■ \d\d:\d\d:\d\d UTC stopped by operator: a test asks for it/.test(
        (await tip.allInnerTexts()).join(),
      ),
    );
  });

  it("shows an open verdict first, and a worse canary when requests suffice", async () => {
    const { fleet, monitor } = await startFedMonitor({
      LATENCY_THRESHOLD_MS: "60000",
      VERDICT: "observe",
    });
    // The first verdict lasts for a few seconds of load: open the page before it.
    const { page } = await openDashboardPage(browser(), monitor.port);
    const random = createSeededRandom(1);
    fleet.fieldsOf = (side) => {
      const dealt = side === "prod" ? 9 : 3;
      const respond = side === "prod" ? healthy : slowerBy(1.5);
      const answers = Array.from({ length: dealt }, () =>
        respond(side, "GET /get", random),
      );
      return { dealt, routes: { "GET /get": routeWindow(answers) } };
    };
    const verdict = page.locator("#verdict");
    const untilShown = (outcome: string, text: RegExp) =>
      waitFor(
        `the verdict ${outcome}`,
        async () =>
          (await verdict.getAttribute("data-outcome")) === outcome &&
          text.test(await verdict.innerText()),
        40_000,
      );
    await untilShown(
      "insufficient",
      /^Too early to tell · odds .+ for worse · about \d+ more canary requests needed$/,
    );
    await untilShown(
      "worse",
      /^Yes, worse than prod · odds [\d,]+ : 1 for worse$/,
    );
  });

  it("filters events by kind", async () => {
    const { monitor } = await startFedMonitor();
    const { page } = await openDashboardPage(browser(), monitor.port);
    await monitor.postFlag({ value: false });
    const kinds = page.locator(".event .kind");
    await waitFor("the flip", async () =>
      (await kinds.allInnerTexts()).includes("flip off"),
    );
    await page.locator("#ledger-kind").selectOption("flip");
    await waitFor(
      "only the flip",
      async () => (await kinds.allInnerTexts()).join() === "flip off",
    );
    await monitor.postFlag({ value: true });
    await waitFor(
      "the newer flip first",
      async () => (await kinds.allInnerTexts()).join() === "flip on,flip off",
    );
    await page.locator("#ledger-kind").selectOption("silence");
    await page.getByText("No events of this kind.").waitFor();
  });
});

/** The chart, line and value of each legend entry. */
async function readLegends(page: Page): Promise<[string, string, string][]> {
  return await page.evaluate(`[...document.querySelectorAll(".legend-entry")].map((entry) => [
    entry.closest(".chart").querySelector("h3").textContent,
    entry.querySelector(".legend-label").textContent,
    entry.querySelector(".legend-value").textContent,
  ])`);
}

/** The plot covers the last 15 minutes. */
async function pointAtNewestMark(page: Page, at: string): Promise<void> {
  const plot = page.locator(".chart .u-over").nth(1);
  const { width = 0, height = 0 } = (await plot.boundingBox()) ?? {};
  const x = width * (1 - (Date.now() - Date.parse(at)) / SPAN_MS);
  await plot.hover({
    position: { x: Math.min(width - 2, x), y: height / 2 },
  });
}
