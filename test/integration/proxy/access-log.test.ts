import { expect } from "chai";
import {
  AccessLog,
  type AccessLogConfig,
} from "../../../apps/proxy/exchange/access-log.js";
import {
  startBackend,
  startNamedBackend,
  startRawBackend,
} from "../../support/http/backend.js";
import { describeEngines } from "../../support/http/engines.js";
import { send } from "../../support/http/http-client.js";
import { createMemoryLogger } from "../../support/logger.js";
import { startTestProxy } from "../../support/programs/test-proxy.js";
import { waitFor } from "../../support/wait-for.js";

type ProxyOptions = Parameters<typeof startTestProxy>[0];

async function startLogging(
  options: ProxyOptions,
  config: Partial<AccessLogConfig> = {},
) {
  const logger = createMemoryLogger();
  const accessLog = new AccessLog(
    logger,
    { sampleRatio: 0, slowMs: 10_000, ...config },
    () => 0.5,
  );
  const proxy = await startTestProxy({ ...options, accessLog });
  return { ...proxy, lines: logger.lines };
}

describeEngines("the proxy's access log", () => {
  it("names the canary's failure and who answered in its place", async () => {
    const prod = await startNamedBackend("prod");
    const canary = await startRawBackend(({ socket }) =>
      socket.resetAndDestroy(),
    );
    const proxy = await startLogging({ prod, canary, side: "canary" });
    const traceparent =
      "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    await send(proxy.port, {
      path: "/pay/1?card=4000",
      headers: { traceparent, "x-request-id": "order-7" },
    });
    const [{ data, message } = { data: {}, message: "" }] = proxy.lines;
    expect(message).to.equal("request");
    expect(data).to.deep.include({
      method: "GET",
      path: "/pay/1",
      status: 200,
      canaryStatus: 502,
      route: "other",
      side: "canary",
      servedBy: "prod",
      upstream: `127.0.0.1:${prod.url.port}`,
      client: "127.0.0.1",
      requestId: "order-7",
      traceparent,
      unlogged: 0,
    });
    expect(data).to.have.property("ms").that.is.at.least(0);
  });

  it("leaves out what was good, but for a sample", async () => {
    const prod = await startNamedBackend("prod");
    const without = await startLogging({ prod });
    await send(without.port, { path: "/" });
    expect(without.lines).to.deep.equal([]);
    const sampled = await startLogging({ prod }, { sampleRatio: 0.51 });
    await send(sampled.port, { path: "/" });
    expect(sampled.lines).to.have.length(1);
  });

  it("names the route as traffic is counted", async () => {
    const prod = await startNamedBackend("prod");
    const proxy = await startLogging({ prod }, { sampleRatio: 1 });
    await send(proxy.port, { path: "/pay/1" });
    expect(proxy.lines[0]!.data).to.include({ route: "GET /pay" });
  });

  it("logs errors and slow answers", async () => {
    const prod = await startBackend((request, response) => {
      if (request.url === "/fails") response.statusCode = 500;
      setTimeout(() => response.end(), request.url === "/slow" ? 60 : 0);
    });
    const proxy = await startLogging({ prod }, { slowMs: 50 });
    for (const path of ["/fails", "/slow"]) await send(proxy.port, { path });
    expect(proxy.lines.map(({ data }) => data)).to.containSubset([
      { path: "/fails", status: 500 },
      { path: "/slow", status: 200 },
    ]);
  });

  it("logs a response that breaks off", async () => {
    const prod = await startRawBackend(({ socket }) =>
      socket.end("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab"),
    );
    const proxy = await startLogging({ prod });
    proxy.connect().get("/");
    const [line] = await waitFor(
      "a line",
      () => proxy.lines.length > 0 && proxy.lines,
    );
    expect(line!.data).to.include({ status: 502, cut: true });
  });
});
