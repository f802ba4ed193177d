import { expect } from "chai";
import type { HistoryReport } from "../../apps/monitor/messages/history-report.js";
import { useBrowser } from "../support/browser/chromium.js";
import { openDashboardPage } from "../support/browser/dashboard-page.js";
import {
  spawnFedMonitor,
  startFedMonitor,
} from "../support/browser/fed-monitor.js";
import { onCleanup } from "../support/cleanup.js";
import { spawnMonitorProgram } from "../support/programs/monitor-program.js";
import { callForJson } from "../support/system/http-call.js";
import { RedisProgram } from "../support/system/redis-program.js";
import { MailSink } from "../support/system/mail-sink.js";
import { findServicePort } from "../support/system/service-port.js";
import { waitFor } from "../support/wait-for.js";

const SHOWN_WITHIN_MS = 5000;

describe("dashboard", function () {
  this.timeout(60_000);

  const browser = useBrowser();

  describe("of a killed monitor", () => {
    it("shows stale data, and recovers with its history when the monitor restarts", async () => {
      const env = { PORT: String(await findServicePort()) };
      const { test, monitor } = await spawnFedMonitor(env);
      const { port } = monitor;
      const dashboard = await openDashboardPage(browser(), port);
      const { page } = dashboard;
      await dashboard.untilTone("good");
      await page.evaluate("document.body.dataset.opened = 'once'");
      await waitFor("a point", async () => (await readPoints(port)).length > 0);
      const [first] = await readPoints(port);

      monitor.child.kill("SIGKILL");
      await monitor.exited;
      await dashboard.untilTone("old", SHOWN_WITHIN_MS);
      expect(await dashboard.headline()).to.match(
        /^No data from the monitor for \d s$/,
      );
      expect(await page.locator("#headline-detail").innerText()).to.match(
        /^On the edge host: sudo serin status\. Last known state, at \d\d:\d\d:\d\d UTC: /,
      );
      expect(await page.locator("#freshness").innerText()).to.include(
        "No data",
      );

      await spawnMonitorProgram(test, env);
      await dashboard.untilTone("good");
      expect(await page.evaluate("document.body.dataset.opened")).to.equal(
        "once",
      );
      const points = await waitFor("the history", async () => {
        const read = await readPoints(port);
        return read.length > 0 && read;
      });
      // The restarted monitor has the same first point.
      expect(points[0]!.at).to.equal(first!.at);
      await page.reload();
      await dashboard.untilTone("good");
      await waitFor("requests in the legend", async () =>
        /\d\/s$/.test(await dashboard.legendValue("Requests", "prod")),
      );
    });
  });

  describe("of a monitor without state", () => {
    it("reports that Redis is unreachable, and recovers when it restarts", async () => {
      const redis = await RedisProgram.create();
      onCleanup(() => redis.close());
      await redis.start();
      const { monitor } = await startFedMonitor({ REDIS_URL: redis.url });
      const dashboard = await openDashboardPage(browser(), monitor.port);
      await dashboard.untilTone("good");
      await redis.kill();
      await dashboard.untilTone("old");
      expect(await dashboard.headline()).to.equal(
        "The monitor cannot reach Redis · users get prod",
      );
      const detail = dashboard.page.locator("#headline-detail");
      expect(await detail.innerText()).to.match(
        /^Without Redis, proxies send everything to prod .* Last known state, /,
      );
      const buttons = dashboard.page.locator(".controls button");
      expect(await buttons.all()).to.have.length(7);
      for (const button of await buttons.all())
        expect(await button.isDisabled()).to.equal(true);
      await redis.start();
      await dashboard.untilTone("good");
    });

    it("reports a failed stream request, and retries", async () => {
      const { monitor } = await startFedMonitor();
      const dashboard = await openDashboardPage(browser(), monitor.port);
      const { page } = dashboard;
      await page.route("**/api/stream", (route) =>
        route.fulfill({ status: 503 }),
      );
      await page.reload();
      await dashboard.untilTone("old");
      expect(await dashboard.headline()).to.equal(
        "The monitor does not answer",
      );
      expect(await page.locator("#headline-detail").innerText()).to.equal(
        "On the edge host: sudo serin status. Retrying every second.",
      );
      await page.unroute("**/api/stream");
      await dashboard.untilTone("good");
    });

    it("reports that no agent sends samples", async () => {
      const { test, fleet, monitor } = await startFedMonitor();
      const dashboard = await openDashboardPage(browser(), monitor.port);
      await dashboard.untilTone("good");
      for (const source of Object.values(fleet.agents)) {
        fleet.silent.add(source);
        await test.ledger.record({
          kind: "stop",
          by: "agent",
          reason: "agent stopped",
          data: { source },
        });
      }
      await dashboard.page.getByText("No agent is reporting.").waitFor();
    });
  });

  describe("of a monitor that cannot send mail", () => {
    it("shows how many mails are queued, and why", async () => {
      const mailSink = new MailSink(await findServicePort());
      onCleanup(() => mailSink.close());
      const { monitor } = await startFedMonitor({
        ALERT_TRANSPORT: "smtp",
        ALERT_FROM: "serin@example.com",
        ALERT_TO: "ops@example.com",
        SMTP_URL: `smtp://127.0.0.1:${mailSink.port}`,
      });
      const { page } = await openDashboardPage(browser(), monitor.port);
      await monitor.postFlag({ value: false });
      const watch = page.locator("#headline-detail");
      await waitFor("the alert", async () =>
        /· 1 mail queued · mail cannot be sent: .*ECONNREFUSED/.test(
          (await watch.innerText()).replaceAll("\u00a0", " "),
        ),
      );
      await mailSink.open();
      await waitFor(
        "the end of the alert",
        async () => !(await watch.innerText()).includes("queued"),
      );
    });
  });
});

async function readPoints(port: number): Promise<HistoryReport["points"]> {
  const history = await callForJson({ port, path: "/api/history" });
  return (history as HistoryReport).points;
}
