import { expect } from "chai";
import { startBackend, startNamedBackend } from "../../support/http/backend.js";
import { onCleanup } from "../../support/cleanup.js";
import { describeEngines } from "../../support/http/engines.js";
import { send } from "../../support/http/http-client.js";
import {
  canaryToBe,
  startOpenProxy,
  weightToBe,
} from "../../support/programs/proxy-program.js";
import { connectRedis } from "../../support/redis/redis-server.js";
import { scrape } from "../../support/scrape.js";

const ASKING = { "x-serin-canary": "1" };

async function startOptIn(canaryStatus = 200) {
  const prod = await startNamedBackend("prod");
  const canary = await startBackend((_request, response) => {
    response.writeHead(canaryStatus).end("canary");
  });
  const proxy = await startOpenProxy({
    PROD_URLS: prod.url.origin,
    CANARY_URLS: canary.url.origin,
    CANARY_HEADER: "X-Serin-Canary",
    CANARY_COOKIE: "serin-canary",
    TELEMETRY_INTERVAL_MS: "50",
  });
  const redis = connectRedis();
  onCleanup(() => redis.disconnect());
  const weigh = async (weight: number) => {
    await redis.set(proxy.keys.flagWeight("feature"), weight);
    await weightToBe(proxy, weight);
  };
  const ask = (headers: Record<string, string>) =>
    send(proxy.port, { headers });
  return { proxy, redis, weigh, ask };
}

describeEngines("proxy opt-in to the canary", () => {
  it("gets it at a weight of 0, by header or cookie", async () => {
    const { proxy, weigh, ask } = await startOptIn();
    await weigh(0);
    expect((await ask(ASKING)).servedBy).to.equal("canary");
    const byCookie = await ask({ cookie: "a=b; serin-canary=true" });
    expect(byCookie.servedBy).to.equal("canary");
    for (const headers of [{}, { "x-serin-canary": "no" }])
      expect((await ask(headers)).servedBy).to.equal("prod");
    expect((await proxy.status()).requests).to.deep.equal({
      prod: 2,
      canary: 0,
    });
    const { samples } = await scrape(`http://127.0.0.1:${proxy.adminPort}`);
    expect(samples.get("serin_proxy_opted_in_requests_total")).to.equal(2);
  });

  it("never gets it while it is stopped", async () => {
    const { proxy, redis, weigh, ask } = await startOptIn();
    await weigh(100);
    await redis.set(proxy.keys.flag("feature"), "false");
    await canaryToBe(proxy, /^flag is false$/);
    for (const headers of [ASKING, { cookie: "serin-canary=1" }])
      expect((await ask(headers)).servedBy).to.equal("prod");
  });

  it("changes neither the shares of the others nor the breaker, however many fail", async () => {
    const { proxy, weigh, ask } = await startOptIn(500);
    await weigh(10);
    for (let i = 0; i < 100; i++)
      expect((await ask(ASKING)).status).to.equal(500);
    expect((await proxy.status()).canary.open).to.equal(true);
    let others = 0;
    for (let i = 0; i < 10; i++)
      if ((await ask({})).servedBy === "canary") others += 1;
    expect(others).to.equal(1);
  });
});
