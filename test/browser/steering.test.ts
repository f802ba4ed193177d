import { expect } from "chai";
import type { Page } from "playwright-core";
import { useBrowser } from "../support/browser/chromium.js";
import {
  openDashboardPage,
  setHidden,
} from "../support/browser/dashboard-page.js";
import {
  spawnFedMonitor,
  startFedMonitor,
} from "../support/browser/fed-monitor.js";
import { waitFor } from "../support/wait-for.js";

const TOKEN = "s3cret-t0ken";
/** More than the page's tab stops before its buttons. */
const MAX_TABS = 12;

describe("dashboard controls", function () {
  this.timeout(60_000);

  const browser = useBrowser();

  it("stop and resume the canary by mouse after a confirmation", async () => {
    const { monitor } = await startFedMonitor();
    const dashboard = await openDashboardPage(browser(), monitor.port);
    const { page } = dashboard;
    await dashboard.untilTone("good");
    await page.locator("#stop").click();
    await page.locator("#dialog-cancel").click();
    expect(await page.locator("#dialog").isVisible()).to.be.false;
    expect(await monitor.events("kind=flip")).to.be.empty;

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
    await page.locator("#stop").click();
    await page.locator("#dialog-confirm").click();
    await dashboard.untilTone("stopped");
    const flips = (await monitor.events("kind=flip")).reverse();
    expect(flips.map(({ by, reason }) => [by, reason])).to.deep.equal([
      ["operator", "odd answers on /get"],
      ["operator", "requested on the dashboard"],
      ["operator", "requested on the dashboard"],
    ]);
  });

  it("ask the next question before the browser has told that the last one was closed", async () => {
    const { monitor } = await startFedMonitor();
    const dashboard = await openDashboardPage(browser(), monitor.port);
    await dashboard.untilTone("good");
    await dashboard.page.locator("#stop").click();
    await dashboard.page.evaluate(
      "for (const id of ['dialog-cancel', 'stop']) document.getElementById(id).click()",
    );
    await dashboard.page.locator("#dialog-confirm").click();
    await dashboard.untilTone("stopped");
  });

  it("ask for the token once, store it nowhere, and work by keyboard alone", async () => {
    const { monitor } = await startFedMonitor({ ADMIN_TOKEN: TOKEN });
    const dashboard = await openDashboardPage(browser(), monitor.port);
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
    expect(await monitor.events("kind=flip")).to.be.empty;

    // The wrong token is selected, so typing replaces it.
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

  it("follow a flip made elsewhere while the dialog is open", async () => {
    const { monitor } = await startFedMonitor();
    const dashboard = await openDashboardPage(browser(), monitor.port);
    const { page } = dashboard;
    await dashboard.untilTone("good");
    await page.locator("#stop").click();
    expect(await page.locator("#dialog-title").innerText()).to.equal(
      "Stop the canary?",
    );
    await monitor.postFlag({ value: false });
    await page
      .getByText("The canary is already stopped until a person resumes it.")
      .waitFor();
    expect(await page.locator("#dialog-confirm").isDisabled()).to.be.true;
    await page.locator("#dialog-reason").press("Enter");
    await monitor.postFlag({ value: true });
    await waitFor("the dialog to be enabled again", () =>
      page.locator("#dialog-confirm").isEnabled(),
    );
    await page.locator("#dialog-confirm").click();
    await dashboard.untilTone("stopped");
    expect(await monitor.events("kind=flip")).to.have.length(3);
  });

  it("work with seven open tabs, although browsers limit connections to six", async () => {
    const { monitor } = await startFedMonitor();
    const { port } = monitor;
    const first = await openDashboardPage(browser(), port);
    await first.untilTone("good");
    for (let opened = 1; opened < 7; opened++) {
      await setHidden(first.page.context().pages().at(-1)!, true);
      const page = await first.page.context().newPage();
      await page.goto(`http://127.0.0.1:${port}/`);
      await page.locator('#headline[data-tone="good"]').waitFor();
    }
    const last = first.page.context().pages().at(-1)!;
    await last.locator("#stop").click();
    await last.locator("#dialog-confirm").click();
    await last.locator('#headline[data-tone="stopped"]').waitFor();
    // It closes when the proxy has followed.
    await last.locator("#dialog").waitFor({ state: "hidden" });

    // A hidden tab updates its title, and its events when it is shown again.
    await waitFor("the first tab's title", async () =>
      (await first.page.title()).startsWith("■ Canary stopped"),
    );
    await setHidden(first.page, false);
    await first.page.locator(".event", { hasText: "flip off" }).waitFor();
  });

  it("time out when the monitor does not answer, and can be cancelled", async () => {
    const { monitor } = await spawnFedMonitor();
    const { pid, port } = monitor;
    const dashboard = await openDashboardPage(browser(), port);
    const { page } = dashboard;
    await dashboard.untilTone("good");
    process.kill(pid, "SIGSTOP");
    try {
      await page.locator("#stop").click();
      await page.locator("#dialog-confirm").click();
      await page
        .getByText(
          "The monitor does not answer: the change may have been made.",
        )
        .waitFor();
      const failed = page.waitForEvent("requestfailed");
      await page.locator("#dialog-confirm").click();
      await page.locator("#dialog-cancel").click();
      expect((await failed).method()).to.equal("POST");
      await page.locator("#stop").click();
      expect(await page.locator("#dialog-confirm").isEnabled()).to.be.true;
      expect(await page.locator("#dialog-error").innerText()).to.equal("");
    } finally {
      process.kill(pid, "SIGCONT");
    }
  });

  it("report a proxy that does not confirm the flip", async () => {
    const { monitor, fleet } = await startFedMonitor();
    const { page, untilTone } = await openDashboardPage(
      browser(),
      monitor.port,
    );
    await untilTone("good");
    fleet.silent.add(fleet.proxy);
    await page.locator("#stop").click();
    await page.locator("#dialog-confirm").click();
    await untilTone("stopped");
    const error = page.locator("#dialog-error");
    await waitFor("the report", async () =>
      (await error.innerText()).includes("did not confirm within 2 s"),
    );
    expect(await page.locator("#dialog-confirm").isDisabled()).to.equal(true);
  });

  it("do not claim success when the monitor is down", async () => {
    const { monitor } = await spawnFedMonitor();
    const dashboard = await openDashboardPage(browser(), monitor.port);
    await dashboard.untilTone("good");
    monitor.child.kill("SIGKILL");
    await monitor.exited;
    await dashboard.page.locator("#stop").click();
    await dashboard.page.locator("#dialog-confirm").click();
    await dashboard.page
      .getByText("The monitor does not answer: the change may have been made.")
      .waitFor();
  });
});

async function tabTo(page: Page, id: string): Promise<void> {
  for (let tabs = 0; tabs < MAX_TABS; tabs++) {
    if ((await focused(page)) === id) return;
    await page.keyboard.press("Tab");
  }
  throw new Error(`#${id} cannot be reached by Tab`);
}

async function focused(page: Page): Promise<string> {
  return await page.evaluate<string>("document.activeElement.id");
}
