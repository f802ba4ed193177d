import { expect } from "chai";
import type { Side } from "../../../lib/telemetry/telemetry.js";
import { AccessLog } from "../../../apps/proxy/exchange/access-log.js";
import { RecentSum } from "../../../apps/proxy/canary/recent-requests.js";
import { readConfig } from "../../../apps/proxy/config.js";
import { Front } from "../../../apps/proxy/front.js";
import {
  createSharedState,
  createThreadState,
  readClockOffsetMs,
} from "../../../apps/proxy/shared-state.js";
import { onCleanup } from "../../support/cleanup.js";
import { startBackend, startNamedBackend } from "../../support/http/backend.js";
import { describeEngines } from "../../support/http/engines.js";
import { send } from "../../support/http/http-client.js";
import { createMemoryLogger } from "../../support/logger.js";
import { startOpenProxy } from "../../support/programs/proxy-program.js";
import { startTestProxy } from "../../support/programs/test-proxy.js";
import { openTestRedis } from "../../support/redis/test-redis.js";
import { scrape } from "../../support/scrape.js";
import { waitFor } from "../../support/wait-for.js";

const OFF = { "x-serin-flag": "feature=off" };

const startTurningAway = (status = 503, headers: object = OFF) =>
  startBackend((_request, response) => {
    response.writeHead(status, { ...headers }).end();
  });

/** One request through a proxy whose side answers like this. */
async function countOne(options: {
  side?: Side;
  isFlagOff?: boolean;
  status?: number;
  headers?: object;
}) {
  const { side = "prod", isFlagOff = true, status, headers } = options;
  const backend = await startTurningAway(status, headers);
  const logger = createMemoryLogger();
  const accessLog = new AccessLog(logger, { sampleRatio: 0, slowMs: 10_000 });
  const proxy = await startTestProxy({
    ...{ prod: backend, canary: backend, side, isFlagOff, accessLog },
  });
  const answer = await send(proxy.port);
  const { requests, errors, withoutFeature, routes } = proxy.counts()[side];
  const logged = logger.lines.length;
  return { answer, requests, errors, withoutFeature, routes, logged };
}

describeEngines("a 503 because the flag is off", () => {
  it("is no error of prod, nor of its routes, nor in the access log", async () => {
    const { answer, ...counted } = await countOne({});
    expect(counted).to.deep.equal({
      ...{ requests: 1, errors: 0, withoutFeature: 1, routes: {}, logged: 0 },
    });
    expect(answer.status).to.equal(503);
    expect(answer.headers).to.include(OFF);
  });

  it("is an error of the canary, which could hide its failures", async () => {
    expect(await countOne({ side: "canary" })).to.deep.include({
      ...{ errors: 1, withoutFeature: 0, logged: 1 },
    });
  });

  it("is an error of prod while the flag is on", async () => {
    expect(await countOne({ isFlagOff: false })).to.deep.include({
      ...{ errors: 1, withoutFeature: 0 },
    });
  });

  for (const [name, given] of [
    ["without the header", { headers: {} }],
    ["that names no flag as off", { headers: { "x-serin-flag": "on" } }],
    ["with another status", { status: 500 }],
  ] as const)
    it(`is an error as any other ${name}`, async () => {
      expect(await countOne(given)).to.deep.include({
        ...{ errors: 1, withoutFeature: 0 },
      });
    });

  it("excuses no canary from the breaker", async () => {
    const prod = await startTurningAway();
    const [shared, own] = [createSharedState(), createThreadState()];
    shared.flagIsOff[0] = 1;
    const front = new Front(readConfig({ PROD_URLS: prod.url.origin }), {
      ...{ shared, own, logger: createMemoryLogger() },
      onTrip: () => undefined,
      onWeightEnd: () => undefined,
    });
    onCleanup(() => front.close(0));
    await send(await front.listen({ host: "127.0.0.1", port: 0 }));
    const recent = new RecentSum();
    recent.add(own.recent);
    const until = performance.now() + readClockOffsetMs();
    expect(recent.read("prod", { until })).to.include({
      ...{ requests: 1, failures: 0 },
    });
  });

  it("counts apart in the metrics once the flag is false", async () => {
    const prod = await startTurningAway();
    const canary = await startNamedBackend("canary");
    const proxy = await startOpenProxy({
      PROD_URLS: prod.url.origin,
      CANARY_URLS: canary.url.origin,
    });
    await openTestRedis().redis.set(proxy.keys.flag("feature"), "false");
    await waitFor("it to be known", async () => {
      return (await proxy.status()).flag.value === false;
    });
    for (let i = 0; i < 5; i++) await send(proxy.port);
    const { samples } = await scrape(`http://127.0.0.1:${proxy.adminPort}`);
    const total = (labels: string) =>
      samples.get(`serin_proxy_requests_total{target="prod",${labels}}`);
    expect(total('code="503",feature="off"')).to.equal(5);
    expect(total('code="503"')).to.equal(0);
  });
});
