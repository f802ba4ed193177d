import { expect } from "chai";
import { entryTimeMs } from "../../lib/redis/stream-entry.js";
import { useBrowser } from "../support/browser/chromium.js";
import { openDashboardPage } from "../support/browser/dashboard-page.js";
import { heldUpTime } from "../support/running-time.js";
import {
  sendSlowRequests,
  shareSystem,
  startLoad,
} from "../support/system/start-system.js";
import { waitFor } from "../support/wait-for.js";

/** From the flip in Redis to the page, unless the machine stalls. */
const STOPPED_WITHIN_MS = 2000;

describe("dashboard", function () {
  this.timeout(60_000);

  const browser = useBrowser();
  const shared = shareSystem();

  it("shows a healthy canary, its comparison with prod and moving charts", async () => {
    const system = shared();
    const load = startLoad(system);
    const dashboard = await openDashboardPage(browser(), system.monitor.port);
    await dashboard.untilTone("good");
    expect(await dashboard.headline()).to.match(
      /^Canary takes 25 % of traffic · healthy/,
    );
    await waitFor("requests in the legend", async () =>
      /^[1-9]\d\/s$/.test(await dashboard.legendValue("Requests", "prod")),
    );
    const before = await dashboard.picture("Requests");
    await waitFor(
      "the chart to move",
      async () => (await dashboard.picture("Requests")) !== before,
    );
    const figures = dashboard.page.locator("#figures");
    await waitFor("the comparison", async () =>
      /p95\s+[\d.]+ ms\s+[\d.]+ ms\s+× [\d.]+/.test(await figures.innerText()),
    );
    const hosts = dashboard.page.locator("#hosts tr");
    // A host whose probe is late is not healthy until the next one.
    await waitFor("two healthy hosts", async () => {
      const rows = await hosts.allInnerTexts();
      return rows.length === 2 && rows.every((row) => row.includes("healthy"));
    });
    await load.stop();
  });

  it("shows a stop and its reason within two seconds of the flip, without a reload", async () => {
    const system = shared();
    startLoad(system);
    const dashboard = await openDashboardPage(browser(), system.monitor.port);
    const { page } = dashboard;
    await dashboard.untilTone("good");
    await page.evaluate("document.body.dataset.opened = 'once'");
    const heldUpBefore = heldUpTime();
    const slow = sendSlowRequests(system);
    await dashboard.untilTone("stopped");
    const shownAt = Date.now();
    const heldUpMs = heldUpTime() - heldUpBefore;
    await slow;

    const [flip] = await system.events("flip");
    expect(shownAt - entryTimeMs(flip!.id)).to.be.within(
      0,
      STOPPED_WITHIN_MS + heldUpMs,
    );
    expect(await dashboard.headline()).to.match(
      /^Canary stopped \d\d:\d\d:\d\d UTC: p95 [\d,]+ ms > 500 ms · automatic retry in \d:\d\d$/,
    );
    expect(await page.title()).to.equal("■ Canary stopped · serin");
    expect(await page.locator("#icon").getAttribute("href")).to.equal(
      "icon-stopped.svg",
    );
    await waitFor("the flip in the event list", async () => {
      const [newest] = await page.locator(".event").allInnerTexts();
      return newest?.includes("flip off") && newest.includes("monitor");
    });
    expect(await page.evaluate("document.body.dataset.opened")).to.equal(
      "once",
    );
  });
});
