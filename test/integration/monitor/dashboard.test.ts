import { get, type IncomingMessage } from "node:http";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { expect } from "chai";
import type { HistoryReport } from "../../../apps/monitor/messages/history-report.js";
import { startFleet } from "../../support/monitor/fleet.js";
import {
  startLeader,
  startMonitorProgram,
} from "../../support/programs/monitor-program.js";
import { runningTime } from "../../support/running-time.js";
import {
  openTestRedis,
  type TestRedis,
} from "../../support/redis/test-redis.js";
import { waitFor } from "../../support/wait-for.js";

/** Far below the drain time of requests in flight. */
const STOPPED_WITHIN_MS = 800;

describe("monitor's dashboard over HTTP", () => {
  let test: TestRedis;

  beforeEach(() => {
    test = openTestRedis();
  });

  it("serves the page with a strict policy, compressed and cacheable", async () => {
    const { url } = await startLeader(test);
    const page = await fetch(url, { headers: { "accept-encoding": "br" } });
    expect(page.status).to.equal(200);
    expect(page.headers.get("content-type")).to.match(/^text\/html/);
    expect(page.headers.get("content-encoding")).to.equal("br");
    expect(page.headers.get("cache-control")).to.equal("no-cache");
    const policy = page.headers.get("content-security-policy");
    expect(policy).to.match(/^default-src 'none'; script-src 'self';/);
    expect(policy).not.to.match(/unsafe|\*|https?:/);
    const html = await page.text();
    expect(html).not.to.match(/<style|style=|<script>|\son\w+=|https?:\/\//);

    const again = await fetchDecoded(url, "br", {
      "if-none-match": page.headers.get("etag")!,
    });
    expect(again).to.include({ status: 304, bytes: 0 });
    const [script] = /main-[0-9A-Z]{8}\.js/.exec(html)!;
    const encodings = ["br", "gzip", "identity"];
    const bodies = await Promise.all(
      encodings.map((encoding) => fetchDecoded(`${url}/${script}`, encoding)),
    );
    expect(new Set(bodies.map(({ text }) => text)).size).to.equal(1);
    expect(bodies[0]!.bytes).to.be.below(bodies[2]!.bytes / 2);
    for (const { cacheControl } of bodies)
      expect(cacheControl).to.equal("public, max-age=31536000, immutable");
  });

  it("serves the history from Redis, also after a restart and on standby", async () => {
    const monitor = await startLeader(test);
    startFleet(test);
    await monitor.postFlag({ value: false, reason: "looking" });
    await waitFor("a step to close", async () => {
      return (await readHistory(monitor.url)).points.length >= 2;
    });
    const first = await readHistory(monitor.url);
    expect(first.hosts).to.have.length(2);
    expect(first.marks).to.have.length(1);
    const standby = await startMonitorProgram(test);
    const later = await waitFor("its history", async () => {
      const read = await readHistory(standby.url);
      return read.points.length > 0 && read;
    });
    expect(standby.leads()).to.be.false;
    expect(later.points[0]).to.deep.equal(first.points[0]);
    expect(later.marks).to.deep.equal(first.marks);
    expect(later.hosts).to.have.deep.members(first.hosts);
  });

  it("streams the state, and whether a change needs the token", async () => {
    const env = { ADMIN_TOKEN: "s3cret", HOST: "0.0.0.0" };
    const monitor = await startLeader(test, env);
    const openedAt = Date.now();
    const { text } = await openStream(monitor.url);
    await waitFor("the state", () => text().includes("event: state"));
    const [, data] = /event: state\ndata: (.*)\n/.exec(text())!;
    const message = JSON.parse(data!) as Record<string, unknown>;
    expect(message).to.have.all.keys(
      ...["now", "monitor", "system", "tokenRequired", "state"],
    );
    expect(message.tokenRequired).to.be.true;
    expect(message.now).to.be.within(openedAt - 2000, Date.now() + 2000);
    await waitFor("the history's hint", () => text().includes("history"));
    await test.redis.set(test.keys.flag("feature"), "false");
    await waitFor(
      "the flag set in Redis",
      () => text().includes('"value":false'),
      900,
    );
    expect(text()).not.to.include("s3cret");
  });

  it("stops at once while streams are open", async () => {
    const monitor = await startLeader(test);
    const streams = await Promise.all(
      [1, 2, 3].map(() => openStream(monitor.url)),
    );
    await waitFor("states", () =>
      streams.every(({ text }) => text().includes("event: state")),
    );
    const startedAt = runningTime();
    await monitor.stop();
    expect(runningTime() - startedAt).to.be.below(STOPPED_WITHIN_MS);
  });

  it("answers only loopback names without a token", async () => {
    const { url } = await startLeader(test);
    for (const path of ["/", "/api/history", "/api/stream"]) {
      const { port } = new URL(url);
      const response = await new Promise<IncomingMessage>((resolve) =>
        get(
          { host: "127.0.0.1", port, path, headers: { host: "evil.test" } },
          resolve,
        ),
      );
      response.resume();
      expect(response.statusCode, path).to.equal(403);
    }
  });
});

async function readHistory(url: string): Promise<HistoryReport> {
  return (await (await fetch(`${url}/api/history`)).json()) as HistoryReport;
}

/** An open stream and its messages. */
async function openStream(url: string) {
  const response = await new Promise<IncomingMessage>((resolve, reject) =>
    get(`${url}/api/stream`, { agent: false }, resolve).on("error", reject),
  );
  let received = "";
  response.setEncoding("utf8");
  response.on("data", (text: string) => (received += text));
  response.on("error", () => undefined);
  return { text: () => received };
}

/** The body as sent, decoded here. */
async function fetchDecoded(
  url: string,
  encoding: string,
  others: Record<string, string> = {},
) {
  const headers = { "accept-encoding": encoding, ...others };
  const response = await new Promise<IncomingMessage>((resolve, reject) =>
    get(url, { headers }, resolve).on("error", reject),
  );
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks);
  const decode = { br: brotliDecompressSync, gzip: gunzipSync }[encoding];
  return {
    bytes: body.length,
    status: response.statusCode,
    text: body.length === 0 ? "" : (decode?.(body) ?? body).toString(),
    cacheControl: response.headers["cache-control"],
  };
}
