import { expect } from "chai";
import { startBackend, startRawBackend } from "../../support/http/backend.js";
import { describeEngines } from "../../support/http/engines.js";
import { send } from "../../support/http/http-client.js";
import { startOpenProxy } from "../../support/programs/proxy-program.js";
import { scrape } from "../../support/scrape.js";

const startFast = () => startBackend((_request, response) => response.end());

async function startProxy(prodUrls: URL[]) {
  const proxy = await startOpenProxy({
    PROD_URLS: prodUrls.map(({ origin }) => origin).join(","),
    SPLIT: "1:0",
  });
  const read = async () => {
    const { samples } = await scrape(`http://127.0.0.1:${proxy.adminPort}`);
    return (name: string, labels: string) =>
      samples.get(`serin_proxy_${name}{target="prod",${labels}}`);
  };
  return { ...proxy, read };
}

describeEngines("the proxy's metrics", () => {
  it("show each instance: which one fails, and what it takes", async () => {
    const good = await startFast();
    const bad = await startRawBackend(({ socket }) => socket.resetAndDestroy());
    const proxy = await startProxy([good.url, bad.url]);
    for (let i = 0; i < 8; i++)
      await send(proxy.port, { method: "POST", path: "/" });
    const value = await proxy.read();
    const of = ({ url }: { url: URL }, end: string) =>
      value(
        "upstream_requests_total",
        `upstream="${url.host}",outcome="${end}"`,
      );
    expect([of(good, "served"), of(good, "failed")]).to.deep.equal([4, 0]);
    expect(of(bad, "served")).to.equal(0);
    expect(of(bad, "failed")).to.be.at.least(4);
    const responses = (url: URL) =>
      value("upstream_duration_seconds_count", `upstream="${url.host}"`);
    expect([responses(good.url), responses(bad.url)]).to.deep.equal([4, 0]);
  });

  it("show each route", async () => {
    const prod = await startBackend((request, response) => {
      response.writeHead(request.url === "/cart/2" ? 500 : 200).end();
    });
    const proxy = await startProxy([prod.url]);
    for (const path of ["/cart/1", "/cart/2", "/cart/3", "/shop"])
      await send(proxy.port, { path });
    const value = await proxy.read();
    const of = (route: string, end: string) =>
      value("route_requests_total", `route="GET ${route}",outcome="${end}"`);
    expect([of("/cart", "served"), of("/cart", "failed")]).to.deep.equal([
      2, 1,
    ]);
    expect(of("/shop", "served")).to.equal(1);
    expect(value("route_duration_seconds_count", 'route="GET /cart"')).to.equal(
      3,
    );
  });
});
