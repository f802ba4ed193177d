import { expect } from "chai";
import { startBackend, startRawBackend } from "../../support/http/backend.js";
import { describeEngines } from "../../support/http/engines.js";
import { send } from "../../support/http/http-client.js";
import { startTestProxy } from "../../support/programs/test-proxy.js";

const startSlow = (ms: number) =>
  startBackend((_request, response) => {
    response.setHeader("server-timing", "db;dur=7");
    setTimeout(() => response.end(), ms);
  });

/** Milliseconds, by name. */
function read(header: unknown): Record<string, number> {
  const found = String(header).matchAll(/(\w+);dur=([\d.]+)/g);
  const parts = [...found].map(([, name = "", ms]) => [name, Number(ms)]);
  return Object.fromEntries(parts) as Record<string, number>;
}

describeEngines("server-timing", () => {
  it("says what the upstream took and what the proxy did, behind the upstream's own", async () => {
    const prod = await startSlow(50);
    const proxy = await startTestProxy({ prod, tellsTiming: true });
    const { headers } = await send(proxy.port);
    expect(headers["server-timing"]).to.match(
      /^db;dur=7, proxy;dur=[\d.]+, upstream;dur=[\d.]+$/,
    );
    const { proxy: own, upstream } = read(headers["server-timing"]);
    expect(upstream).to.be.within(49, 2000);
    expect(own).to.be.within(0, 50);
  });

  it("counts a failed attempt before as the proxy's", async () => {
    const prod = await startSlow(0);
    const canary = await startRawBackend(({ socket }) => {
      setTimeout(() => socket.resetAndDestroy(), 60);
    });
    const proxy = await startTestProxy({
      ...{ prod, canary, side: "canary", tellsTiming: true },
    });
    const { headers } = await send(proxy.port);
    expect(read(headers["server-timing"]).proxy).to.be.at.least(59);
  });

  it("does not come unless it is turned on", async () => {
    const prod = await startSlow(0);
    const proxy = await startTestProxy({ prod });
    const { headers } = await send(proxy.port);
    expect(headers["server-timing"]).to.equal("db;dur=7");
  });
});
