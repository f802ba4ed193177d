import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import type { Page } from "playwright-core";
import { useBrowser } from "../support/browser/chromium.js";
import { openDashboardPage } from "../support/browser/dashboard-page.js";
import { startFedMonitor } from "../support/browser/fed-monitor.js";
import { waitFor } from "../support/wait-for.js";

/** Screenshots for people to look at; git ignores the folder. */
const SHOTS = fileURLToPath(
  new URL("../../../artifacts/dashboard/", import.meta.url),
);
const AXE = readFileSync(
  createRequire(import.meta.url).resolve("axe-core/axe.min.js"),
  "utf8",
);

interface AxeResult {
  violations: { id: string; nodes: { target: string[] }[] }[];
}

describe("dashboard accessibility", function () {
  // axe is slow, above all on a busy machine.
  this.timeout(180_000);

  const browser = useBrowser();

  before(() => mkdirSync(SHOTS, { recursive: true }));

  async function open(
    port: number,
    width: number,
    colorScheme: "light" | "dark",
  ) {
    const viewport = { width, height: width < 500 ? 812 : 900 };
    const dashboard = await openDashboardPage(browser(), port, {
      viewport,
      colorScheme,
      reducedMotion: "reduce",
    });
    await dashboard.untilTone("good");
    await waitFor("the charts", async () =>
      /\d/.test(await dashboard.legendValue("Latency", "canary p95")),
    );
    return dashboard;
  }

  it("fits 320, 375 and 1440 px in light and dark without axe findings", async () => {
    const { monitor } = await startFedMonitor();
    for (const width of [320, 375, 1440])
      for (const scheme of ["light", "dark"] as const) {
        const { page } = await open(monitor.port, width, scheme);
        await page.screenshot({
          path: `${SHOTS}in-${width}-${scheme}.png`,
          fullPage: true,
        });
        const scrollWidth = await page.evaluate(
          "document.documentElement.scrollWidth",
        );
        expect(scrollWidth, "wider than the screen").to.be.at.most(width);
        // The next test checks the other two combinations.
        if (width < 500 === (scheme === "dark"))
          expect(await findViolations(page)).to.deep.equal([]);
      }
  });

  it("has no axe findings when the canary is stopped or the dialog open", async () => {
    const { monitor } = await startFedMonitor();
    await monitor.postFlag({ value: false, reason: "a test asks for it" });
    for (const [width, scheme] of [
      [375, "light"],
      [1440, "dark"],
    ] as const) {
      const { page, untilTone } = await openDashboardPage(
        browser(),
        monitor.port,
        { viewport: { width, height: 812 }, colorScheme: scheme },
      );
      await untilTone("stopped");
      expect(await findViolations(page)).to.deep.equal([]);
      await page.screenshot({ path: `${SHOTS}stopped-${width}-${scheme}.png` });
      await page.locator("#resume").click();
      expect(await findViolations(page)).to.deep.equal([]);
      await page.screenshot({ path: `${SHOTS}dialog-${width}-${scheme}.png` });
    }
  });

  it("has no axe findings in a warning, a rejection or with stale data", async () => {
    const { fleet, monitor } = await startFedMonitor({
      ADMIN_TOKEN: "s3cret-t0ken",
    });
    const { page, headline, untilTone } = await openDashboardPage(
      browser(),
      monitor.port,
      { viewport: { width: 375, height: 812 } },
    );
    await untilTone("good");
    fleet.silent.add(fleet.agents.canary);
    await untilTone("warning");
    await waitFor("the host to be reported silent", async () =>
      /^Canary takes 25 % .* is silent$/.test(await headline()),
    );
    expect(await page.title()).to.equal("▲ Check the canary · serin");
    const canary = page.locator("#hosts tr").first();
    expect(await canary.innerText()).to.include("silent");
    expect(await findViolations(page)).to.deep.equal([]);

    await page.locator("#stop").click();
    await page.locator("#dialog-token").fill("wrong");
    await page.locator("#dialog-confirm").click();
    await page.getByText("The monitor does not accept this token").waitFor();
    expect(await findViolations(page)).to.deep.equal([]);
    await page.locator("#dialog-cancel").click();

    await monitor.stop();
    await untilTone("old");
    expect(await findViolations(page)).to.deep.equal([]);
    await page.screenshot({ path: `${SHOTS}old-375-light.png` });
  });
});

/** Findings of axe. It is injected by the browser, because the page's policy blocks foreign scripts. */
async function findViolations(page: Page): Promise<string[]> {
  await page.evaluate(AXE);
  const { violations } = await page.evaluate<AxeResult>("axe.run()");
  return violations.map(
    ({ id, nodes }) =>
      `${id}: ${nodes.map(({ target }) => target.join(" ")).join(", ")}`,
  );
}
