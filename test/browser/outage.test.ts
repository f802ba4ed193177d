import { expect } from "chai";
import type { HistoryReport } from "../../apps/monitor/messages/history-report.js";
import { useBrowser } from "../support/browser/chromium.js";
import { openDashboardPage } from "../support/browser/dashboard-page.js";
import { onCleanup } from "../support/cleanup.js";
import { callForJson } from "../support/system/http-call.js";
import { RedisProgram } from "../support/system/redis-program.js";
import { startLoad, startSystem } from "../support/system/start-system.js";
import { waitFor } from "../support/wait-for.js";

const SAID_WITHIN_MS = 5000;

describe("the dashboard of a monitor that is killed", function () {
  this.timeout(60_000);

  const browser = useBrowser();

  it("says that its data is old, and recovers with its history when the monitor is back", async () => {
    const system = await startSystem();
    startLoad(system);
    const { port } = system.monitor;
    const dashboard = await openDashboardPage(browser(), port);
    const { page } = dashboard;
    await dashboard.untilTone("good");
    await page.evaluate("document.body.dataset.opened = 'once'");
    await waitFor("a point", async () => (await readPoints(port)).length > 0);
    const [first] = await readPoints(port);

    await system.monitor.end("SIGKILL");
    await dashboard.untilTone("old", SAID_WITHIN_MS);
    expect(await dashboard.headline()).to.match(
      /^No word from the monitor for \d s$/,
    );
    expect(await page.locator("#headline-detail").innerText()).to.match(
      /^What is shown is of \d\d:\d\d:\d\d: /,
    );
    expect(await page.locator("#freshness").innerText()).to.include("No word");

    await system.monitor.start();
    await dashboard.untilTone("good");
    expect(await page.evaluate("document.body.dataset.opened")).to.equal(
      "once",
    );
    const points = await waitFor("the history", async () => {
      const read = await readPoints(port);
      return read.length > 0 && read;
    });
    // The step that was read back is as whole as it was.
    expect(points[0]!.at).to.equal(first!.at);
    await page.reload();
    await dashboard.untilTone("good");
    await waitFor("requests in the legend", async () =>
      /\d\/s$/.test(await dashboard.legendValue("Requests", "prod")),
    );
  });
});

describe("the dashboard of a monitor that cannot tell the state", function () {
  this.timeout(60_000);

  const browser = useBrowser();

  it("says that Redis is away, and recovers with it", async () => {
    const redis = await RedisProgram.create();
    onCleanup(() => redis.close());
    await redis.start();
    const system = await startSystem({ redisUrl: redis.url });
    const dashboard = await openDashboardPage(browser(), system.monitor.port);
    await dashboard.untilTone("good");
    await redis.kill();
    await dashboard.untilTone("old");
    expect(await dashboard.headline()).to.equal(
      "The monitor cannot reach Redis",
    );
    await redis.start();
    await dashboard.untilTone("good");
  });

  it("says that it is refused, and goes on asking", async () => {
    const system = await startSystem();
    const dashboard = await openDashboardPage(browser(), system.monitor.port);
    const { page } = dashboard;
    await page.route("**/api/stream", (route) =>
      route.fulfill({ status: 503 }),
    );
    await page.reload();
    await dashboard.untilTone("old");
    expect(await dashboard.headline()).to.equal("The monitor does not answer");
    expect(await page.locator("#headline-detail").innerText()).to.equal(
      "Trying to reach it every second.",
    );
    await page.unroute("**/api/stream");
    await dashboard.untilTone("good");
  });

  it("says that no agent is heard", async () => {
    const system = await startSystem();
    const dashboard = await openDashboardPage(browser(), system.monitor.port);
    await dashboard.untilTone("good");
    await system.prodAgent.end("SIGTERM");
    await system.canaryAgent.end("SIGTERM");
    await dashboard.page.getByText("No agent is heard.").waitFor();
  });
});

describe("the dashboard of a monitor whose mails nobody takes", function () {
  this.timeout(60_000);

  const browser = useBrowser();

  it("says how many wait, and why", async () => {
    const system = await startSystem();
    await system.mailSink.close();
    const { page } = await openDashboardPage(browser(), system.monitor.port);
    await callForJson({
      port: system.monitor.port,
      path: "/api/flags/feature",
      method: "POST",
      body: JSON.stringify({ value: false }),
    });
    const watch = page.locator("#headline-detail");
    await waitFor("the trouble", async () =>
      /· 1 mail still to be sent · mail cannot be sent: .*ECONNREFUSED/.test(
        (await watch.innerText()).replaceAll("\u00a0", " "),
      ),
    );
    await system.mailSink.open();
    await waitFor(
      "its end",
      async () => !(await watch.innerText()).includes("sent"),
    );
  });
});

async function readPoints(port: number): Promise<HistoryReport["points"]> {
  const history = await callForJson({ port, path: "/api/history" });
  return (history as HistoryReport).points;
}
