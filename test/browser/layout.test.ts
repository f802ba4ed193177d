import { expect } from "chai";
import type { Page } from "playwright-core";
import { useBrowser } from "../support/browser/chromium.js";
import { openDashboardPage } from "../support/browser/dashboard-page.js";
import { startFedMonitor } from "../support/browser/fed-monitor.js";
import { waitFor } from "../support/wait-for.js";

/** Core Web Vitals call a layout shift up to 0.1 good. */
const MAX_SHIFT = 0.05;
const WIDTHS = [1440, 768, 375];

describe("dashboard layout", function () {
  this.timeout(60_000);

  const browser = useBrowser();

  it("does not shift while the page loads or when the canary is stopped and resumed", async () => {
    const { fleet, monitor } = await startFedMonitor({ COOLDOWN_MS: "60000" });
    const pages = await Promise.all(
      WIDTHS.map((width) =>
        openDashboardPage(browser(), monitor.port, {
          viewport: { width, height: 850 },
        }),
      ),
    );
    // New events move older ones, often at the moment when the headline grows. Hide them, to measure only the headline.
    for (const { page } of pages)
      await page.evaluate(
        "document.querySelector('.events').style.display = 'none'",
      );
    const untilAll = (tone: string) =>
      Promise.all(pages.map((page) => page.untilTone(tone)));
    await untilAll("good");
    for (const { legendValue } of pages)
      await waitFor("the charts", async () =>
        /\d/.test(await legendValue("Latency", "canary p95")),
      );
    fleet.latencyMs.canary = 700;
    await untilAll("stopped");
    fleet.latencyMs.canary = 4;
    await monitor.postFlag({ value: true });
    await untilAll("good");
    for (const [i, { page }] of pages.entries())
      expect(await readShift(page), `at ${WIDTHS[i]} px`).to.be.below(
        MAX_SHIFT,
      );
  });

  it("has room for all labels and values when latencies have four digits", async () => {
    const { fleet, monitor } = await startFedMonitor({
      LATENCY_THRESHOLD_MS: "60000",
    });
    fleet.latencyMs = { prod: 1200, canary: 1200 };
    for (const width of WIDTHS) {
      const { page, legendValue } = await openDashboardPage(
        browser(),
        monitor.port,
        { viewport: { width, height: 850 } },
      );
      await waitFor("four digits", async () =>
        /^\d,\d{3} ms$/.test(await legendValue("Latency", "canary p99")),
      );
      expect(
        await readTruncated(page),
        `truncated at ${width} px`,
      ).to.deep.equal([]);
    }
  });

  it("prints the whole ledger, and nothing to press", async () => {
    const { test, monitor } = await startFedMonitor();
    for (let i = 0; i < 30; i++)
      await test.ledger.record({
        ...{ kind: "alert", by: "monitor", reason: `alert ${i}`, data: {} },
      });
    const { page, untilTone } = await openDashboardPage(
      browser(),
      monitor.port,
      { viewport: { width: 794, height: 1123 } },
    );
    await untilTone("good");
    await page.getByText("alert 0", { exact: true }).waitFor();
    await page.emulateMedia({ media: "print" });
    for (const id of ["stop", "resume", "ledger-kind"])
      expect(await page.locator(`#${id}`).isVisible(), id).to.equal(false);
    const cut = await page.evaluate<number>(
      `(({ scrollHeight, clientHeight }) => scrollHeight - clientHeight)(document.querySelector(".ledger-frame"))`,
    );
    expect(cut).to.equal(0);
  });
});

/** The sum of layout shifts since the page was opened (W3C Layout Instability), except those of events. */
async function readShift(page: Page): Promise<number> {
  return await page.evaluate<number>(`new Promise((resolve) => {
    const isEvent = ({ node }) => node?.parentElement?.closest(".events") ?? false;
    const observe = (list) => resolve(
      list.getEntries()
        .filter(({ sources }) => !sources.every(isEvent))
        .reduce((sum, { value }) => sum + value, 0),
    );
    new PerformanceObserver(observe).observe({ type: "layout-shift", buffered: true });
  })`);
}

/** The text of legend labels and table cells that do not fit. */
async function readTruncated(page: Page): Promise<string[]> {
  return await page.evaluate<string[]>(
    `[...document.querySelectorAll(".legend-label, .figures td")]
      .filter(({ clientWidth, scrollWidth }) => scrollWidth > clientWidth)
      .map(({ textContent }) => textContent)`,
  );
}
