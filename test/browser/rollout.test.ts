import { expect } from "chai";
import type { Page } from "playwright-core";
import { useBrowser } from "../support/browser/chromium.js";
import { openDashboardPage } from "../support/browser/dashboard-page.js";
import { startFedMonitor } from "../support/browser/fed-monitor.js";
import { waitFor } from "../support/wait-for.js";

const STEPS = [
  { weight: 2, for: "50s" },
  { pause: true },
  { weight: 25, for: "60s" },
];

/** The monitor of a rollout that has just started. */
async function startWithRollout(spec: object = { rollout: { steps: STEPS } }) {
  const fed = await startFedMonitor();
  const ask = async (verb: string, body: object = {}) => {
    const { url } = fed.monitor;
    const response = await fetch(`${url}/api/rollout/${verb}`, {
      method: "POST",
      body: JSON.stringify(body),
    });
    expect(response.status, await response.clone().text()).to.equal(200);
  };
  await ask("start", { candidate: "0.3.0", stable: "0.2.0", spec });
  return { ...fed, ask };
}

/** `2 % now`, `pause`, …: what a screen reader says of each step. */
async function readTrack(page: Page): Promise<string[]> {
  const boxes = await page.locator("#rollout-track li").allInnerTexts();
  return boxes.map((text) =>
    text
      .replace(/\d:\d\d of \d:\d\d/, "")
      .replace(/\s+/g, " ")
      .trim(),
  );
}

describe("dashboard of a rollout", function () {
  this.timeout(60_000);

  const browser = useBrowser();

  it("shows the steps, and has the buttons that apply in each phase", async () => {
    const { monitor } = await startWithRollout();
    const { page } = await openDashboardPage(browser(), monitor.port);
    const title = page.locator("#rollout-title");
    const untilTitled = (text: string) =>
      waitFor(text, async () => (await title.innerText()) === text);
    const press = async (verb: string) => {
      await page.locator(`#rollout-${verb}`).click();
      await page.locator("#dialog-confirm").click();
    };
    const buttons = () =>
      page.locator("#rollout .button:visible").allInnerTexts();

    await untilTitled("Rollout 1 of 0.3.0: in progress");
    expect(await readTrack(page)).to.deep.equal([
      ...["▶ 2 % now", "pause", "25 %", "prod"],
    ]);
    expect(await page.locator(".track-time").first().innerText()).to.match(
      /^0:\d\d of 0:50$/,
    );
    expect(await buttons()).to.deep.equal(["Next step", "Pause", "Abort"]);
    await press("promote");
    await untilTitled("Rollout 1 of 0.3.0: paused");
    expect(await readTrack(page)).to.deep.equal([
      ...["✓ 2 % done", "‖ pause paused", "25 %", "prod"],
    ]);
    expect(await buttons()).to.deep.equal(["Next step", "Go on", "Abort"]);
    await press("resume");
    await untilTitled("Rollout 1 of 0.3.0: in progress");
    await press("abort");
    await untilTitled("Rollout 1 of 0.3.0: aborted");
    expect((await readTrack(page))[2]).to.equal("✕ 25 % aborted");
    expect(await buttons()).to.deep.equal(["Retry"]);
    expect(await page.locator("#rollout-detail").innerText()).to.include(
      "by operator: ",
    );
    expect(await page.locator("#resume").isDisabled()).to.equal(true);
    await press("retry");
    await untilTitled("Rollout 1 of 0.3.0: in progress");
    expect((await monitor.state()).flag.value).to.equal(true);
  });

  it("says that a question no longer applies when another person was faster", async () => {
    const { monitor, ask } = await startWithRollout();
    const { page } = await openDashboardPage(browser(), monitor.port);
    await page.locator("#rollout-pause").click();
    await ask("pause");
    await page
      .getByText("The rollout is no longer where this applies.")
      .waitFor();
    expect(await page.locator("#dialog-confirm").isDisabled()).to.equal(true);
  });

  it("leads to the rollout's history, which has each step and the rollouts before", async () => {
    const { monitor, ask } = await startWithRollout();
    await ask("abort", { reason: "odd answers" });
    const spec = { rollout: { steps: STEPS } };
    await ask("start", { candidate: "0.4.0", stable: "0.2.0", spec });
    const { page } = await openDashboardPage(browser(), monitor.port);
    await page.locator("#rollout-link").click();
    await page.getByText("Its steps").waitFor();
    expect(page.url()).to.match(/\/rollouts\/2$/);
    const text = await page.locator("body").innerText();
    expect(text).to.include("rollout 2 of 0.4.0 has started: step 1 of 3");
    expect(text).to.match(/rollouts\/1\s+0\.3\.0: Aborted at .+odd answers/);
    const missing = await fetch(`${monitor.url}/rollouts/3`);
    expect(missing.status).to.equal(404);
  });
});
