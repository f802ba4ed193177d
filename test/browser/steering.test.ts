import { expect } from "chai";
import type { Page } from "playwright-core";
import { useBrowser } from "../support/browser/chromium.js";
import { openDashboardPage } from "../support/browser/dashboard-page.js";
import { startSystem } from "../support/system/start-system.js";
import { waitFor } from "../support/wait-for.js";

const TOKEN = "s3cret-t0ken";
/** More than the page has stops before its buttons. */
const MAX_TABS = 12;

describe("steering by the dashboard", function () {
  this.timeout(60_000);

  const browser = useBrowser();

  it("stops and resumes the canary by mouse, after a confirmation", async () => {
    const system = await startSystem();
    const dashboard = await openDashboardPage(browser(), system.monitor.port);
    const { page } = dashboard;
    await dashboard.untilTone("good");
    await page.locator("#stop").click();
    await page.locator("#dialog-cancel").click();
    expect(await page.locator("#dialog").isVisible()).to.be.false;
    expect(await system.events("flip")).to.be.empty;

    await page.locator("#stop").click();
    await page.locator("#dialog-reason").fill("odd answers on /get");
    await page.locator("#dialog-confirm").click();
    await dashboard.untilTone("stopped");
    expect(await dashboard.headline()).to.match(
      /by operator: odd answers on \/get · stays off until a person resumes it$/,
    );
    expect(await page.locator("#stop").isDisabled()).to.be.true;

    await page.locator("#resume").click();
    await page.locator("#dialog-confirm").click();
    await dashboard.untilTone("good");
    await page.locator("#toggle").click();
    await page.locator("#dialog-confirm").click();
    await dashboard.untilTone("stopped");
    const flips = await system.events("flip");
    expect(flips.map(({ by, reason }) => [by, reason])).to.deep.equal([
      ["operator", "odd answers on /get"],
      ["operator", "asked for on the dashboard"],
      ["operator", "asked for on the dashboard"],
    ]);
  });

  it("takes the token once, keeps it nowhere, and works by keyboard alone", async () => {
    const system = await startSystem({
      env: { monitor: { ADMIN_TOKEN: TOKEN } },
    });
    const dashboard = await openDashboardPage(browser(), system.monitor.port);
    const { page } = dashboard;
    const { keyboard } = page;
    await dashboard.untilTone("good");
    await tabTo(page, "stop");
    await keyboard.press("Enter");
    expect(await focused(page)).to.equal("dialog-reason");
    await keyboard.type("by hand");
    await keyboard.press("Tab");
    expect(await focused(page)).to.equal("dialog-token");
    await keyboard.type("wrong");
    await keyboard.press("Enter");
    await page
      .getByText("The monitor does not accept this token: nothing was changed.")
      .waitFor();
    expect(await system.events("flip")).to.be.empty;

    // What was wrong is selected, so that it is typed over.
    await waitFor(
      "the token field",
      async () => (await focused(page)) === "dialog-token",
    );
    await keyboard.type(TOKEN);
    await keyboard.press("Enter");
    await dashboard.untilTone("stopped");
    expect(await dashboard.headline()).to.include("by operator: by hand");

    await tabTo(page, "resume");
    await keyboard.press("Enter");
    expect(await page.locator("#dialog-token-field").isVisible()).to.be.false;
    await keyboard.press("Escape");
    expect(await page.locator("#dialog").isVisible()).to.be.false;
    await keyboard.press("Enter");
    await keyboard.press("Enter");
    await dashboard.untilTone("good");
    const kept = await page.evaluate(
      "JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie, location.href, document.documentElement.outerHTML, [...document.querySelectorAll('input')].map(({ value }) => value)])",
    );
    expect(kept).not.to.include(TOKEN);
    expect(await page.context().cookies()).to.be.empty;
  });

  it("says that nothing was changed when the monitor is gone", async () => {
    const system = await startSystem();
    const dashboard = await openDashboardPage(browser(), system.monitor.port);
    await dashboard.untilTone("good");
    await system.monitor.end("SIGKILL");
    await dashboard.page.locator("#stop").click();
    await dashboard.page.locator("#dialog-confirm").click();
    await dashboard.page
      .getByText("The monitor cannot be reached: nothing was changed.")
      .waitFor();
  });
});

async function tabTo(page: Page, id: string): Promise<void> {
  for (let tabs = 0; tabs < MAX_TABS; tabs++) {
    if ((await focused(page)) === id) return;
    await page.keyboard.press("Tab");
  }
  throw new Error(`#${id} is not reached by Tab`);
}

async function focused(page: Page): Promise<string> {
  return await page.evaluate<string>("document.activeElement.id");
}
