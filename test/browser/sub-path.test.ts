import { createServer, request as sendRequest } from "node:http";
import type { AddressInfo } from "node:net";
import { expect } from "chai";
import { ActionLinks } from "../../apps/monitor/alert/message/action-link.js";
import { useBrowser } from "../support/browser/chromium.js";
import { openDashboardPage } from "../support/browser/dashboard-page.js";
import { startFedMonitor } from "../support/browser/fed-monitor.js";
import { onCleanup } from "../support/cleanup.js";
import { waitFor } from "../support/wait-for.js";

const PATH = "/tools/serin/";
const TOKEN = "s3cret-t0ken";

/** A reverse proxy that serves `port` below PATH and passes the browser's Host. @returns its port */
async function startReverseProxy(port: number): Promise<number> {
  const server = createServer((request, response) => {
    const { method, headers, url = "" } = request;
    if (!url.startsWith(PATH)) {
      response.writeHead(404).end();
      return;
    }
    const path = `/${url.slice(PATH.length)}`;
    const upstream = sendRequest(
      { host: "127.0.0.1", port, method, headers, path, agent: false },
      (answer) => {
        response.writeHead(answer.statusCode!, answer.headers);
        answer.on("error", () => undefined).pipe(response);
      },
    );
    upstream.on("error", () => response.destroy());
    response.on("close", () => upstream.destroy());
    request.pipe(upstream);
  }).listen(0, "127.0.0.1");
  await waitFor("the reverse proxy", () => server.listening);
  onCleanup(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

describe("dashboard below a path of a reverse proxy", function () {
  this.timeout(60_000);

  const browser = useBrowser();

  it("shows state, charts and ledger, and flips the flag", async () => {
    const { monitor } = await startFedMonitor();
    const port = await startReverseProxy(monitor.port);
    const { page, untilTone, legendValue, headline } = await openDashboardPage(
      browser(),
      port,
      { path: PATH },
    );
    await untilTone("good");
    await waitFor("the charts", async () =>
      /\d/.test(await legendValue("Latency", "canary p95")),
    );
    await page.locator("#stop").click();
    await page.locator("#dialog-reason").fill("a test asks for it");
    await page.locator("#dialog-confirm").click();
    await untilTone("stopped");
    expect(await headline()).to.include("a test asks for it");
    await waitFor("the event", async () =>
      (await page.locator("#ledger").innerText()).includes("flip off"),
    );
    expect(await page.locator("#headline-shape").getAttribute("src")).to.equal(
      "icon-stopped.svg",
    );
  });

  it("lets the canary in from a mail's link, once it is confirmed", async () => {
    const { monitor, test } = await startFedMonitor({
      ADMIN_TOKEN: TOKEN,
      DASHBOARD_URL: `http://ops.example.com${PATH}`,
    });
    const port = await startReverseProxy(monitor.port);
    await test.ledger.flip("feature", {
      ...{ value: false, by: "monitor", reason: "slow", data: {} },
    });
    const event = (await monitor.events("kind=flip&limit=1"))[0]!.id;
    const links = new ActionLinks(TOKEN, `${test.keys.prefix}feature`);
    const page = await browser().newPage();
    const path = links.sign({ choice: "resume", event });
    await page.goto(`http://127.0.0.1:${port}${PATH}${path}`);
    await page.getByRole("button", { name: "Let it in again" }).click();
    await page.getByText("The canary is let in again.").waitFor();
    expect((await monitor.state()).flag).to.include({
      ...{ value: true, by: "operator" },
    });
    await page.close();
  });
});
