import { once } from "node:events";
import {
  createServer,
  type RequestListener,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";
import { expect } from "chai";
import {
  parseRequests,
  Traffic,
  type TrafficReport,
} from "../../../apps/launcher/steering/traffic.js";
import { onCleanup } from "../../support/cleanup.js";
import { waitFor } from "../../support/wait-for.js";

/** Traffic to a server of this test. */
async function startTraffic(
  onRequest: RequestListener,
  onReport: (report: TrafficReport) => void = () => undefined,
): Promise<Traffic> {
  const server = createServer(onRequest).listen(0, "127.0.0.1");
  await once(server, "listening");
  const traffic = new Traffic({
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests: parseRequests("GET /, POST /set/a"),
    onReport,
    reportIntervalMs: 200,
    onStart: () => undefined,
    onEnd: () => undefined,
  });
  onCleanup(() => {
    traffic.close();
    server.closeAllConnections();
    server.close();
  });
  traffic.start();
  return traffic;
}

describe("launcher traffic", () => {
  it("sends its requests in turns", async () => {
    const seen: string[] = [];
    await startTraffic((request, response) => {
      seen.push(`${request.method ?? ""} ${request.url ?? ""}`);
      response.end();
    });
    await waitFor("four requests", () => seen.length >= 4);
    // Concurrent requests may arrive in either order.
    expect(seen.slice(0, 4)).to.include.members(["GET /", "POST /set/a"]);
    expect(new Set(seen).size).to.equal(2);
  });

  it("reports failed requests, and apart those without the feature", async () => {
    const reports: TrafficReport[] = [];
    await startTraffic(
      ({ url }, response) => {
        if (url === "/") response.writeHead(500).end();
        else response.writeHead(503, { "x-serin-flag": "feature=off" }).end();
      },
      (report) => reports.push(report),
    );
    const { failed, withoutFeature } = await waitFor("a report", () =>
      reports.find((report) => report.failed > 0 && report.withoutFeature > 0),
    );
    expect(failed).to.be.closeTo(withoutFeature, 1);
  });

  it("sends nothing in a pause", async () => {
    const reports: TrafficReport[] = [];
    const traffic = await startTraffic(
      (_request, response) => response.end(),
      (report) => reports.push(report),
    );
    const isEmpty = (report?: TrafficReport) =>
      report !== undefined && Object.keys(report.served).length === 0;
    await waitFor(
      "traffic",
      () => reports.length > 0 && !isEmpty(reports.at(-1)),
    );
    await traffic.pause();
    await waitFor("a report without any", () => isEmpty(reports.at(-1)));
    traffic.start();
    await waitFor("more", () => !isEmpty(reports.at(-1)));
  });

  it("never has more than 32 requests in flight", async () => {
    const waiting: ServerResponse[] = [];
    let seen = 0;
    let most = 0;
    await startTraffic((_request, response) => {
      seen += 1;
      most = Math.max(most, waiting.push(response));
    });
    for (const count of [32, 33, 34]) {
      await waitFor(`request ${count}`, () => seen === count);
      waiting.shift()?.end();
    }
    expect(most).to.equal(32);
  });
});
