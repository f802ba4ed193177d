import { expect } from "chai";
import { startPrivateRedis } from "../../support/redis/private-redis.js";
import { answerMetrics, Metrics } from "../../../lib/program/metrics.js";
import { createServer } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { startNamedBackend } from "../../support/http/backend.js";
import { onCleanup } from "../../support/cleanup.js";
import { send } from "../../support/http/http-client.js";
import { createMemoryLogger } from "../../support/logger.js";
import { startLeader } from "../../support/programs/monitor-program.js";
import { startProgram } from "../../support/programs/program.js";
import { startOpenProxy } from "../../support/programs/proxy-program.js";
import { scrape } from "../../support/scrape.js";
import { openTestRedis } from "../../support/redis/test-redis.js";
import { waitFor } from "../../support/wait-for.js";

const REQUESTS = 'serin_proxy_requests_total{target="prod",code="200"}';

describe("a program's /metrics", () => {
  it("counts a proxy's requests without Redis, and shows no stale flag", async () => {
    const redis = await startPrivateRedis();
    onCleanup(() => redis.stop());
    const prod = await startNamedBackend("prod");
    const proxy = await startOpenProxy({
      REDIS_URL: redis.url,
      PROD_URLS: prod.url.origin,
      CANARY_URLS: prod.url.origin,
      FLAG_STALE_MS: "1500",
    });
    const origin = `http://127.0.0.1:${proxy.adminPort}`;
    await waitFor("the flag", async () => {
      const { samples } = await scrape(origin);
      return samples.get("serin_flag") === 1;
    });
    await redis.stop();
    await waitFor("the flag to be unknown", async () => {
      const { names } = await scrape(origin);
      return !names.has("serin_flag");
    });
    const before = (await scrape(origin)).samples.get(REQUESTS) ?? 0;
    for (let i = 0; i < 5; i++) await send(proxy.port);
    const { samples } = await scrape(origin);
    expect(samples.get(REQUESTS)).to.equal(before + 5);
    expect(samples.get("serin_proxy_canary_open")).to.equal(0);
    await proxy.stop();
  });

  it("shows only a monitor's local figures without Redis", async () => {
    const redis = await startPrivateRedis();
    onCleanup(() => redis.stop());
    const test = openTestRedis({ url: redis.url });
    const monitor = await startLeader(test, { REDIS_URL: redis.url });
    expect((await scrape(monitor.url)).samples.get("serin_flag")).to.equal(1);
    await test.ledger.flip("feature", {
      value: false,
      by: "operator",
      reason: "try",
      data: {},
    });
    await waitFor("the flip", async () => {
      const { samples } = await scrape(monitor.url);
      return samples.get('serin_flips_total{by="operator"}') === 1;
    });
    await redis.stop();
    await waitFor("the monitor to notice", async () => {
      const { samples } = await scrape(monitor.url);
      return samples.get("serin_monitor_leads") === 0;
    });
    const { names, samples } = await scrape(monitor.url);
    for (const name of ["serin_flag", "serin_lease_age_seconds"])
      expect(names.has(name), name).to.equal(false);
    expect(samples.get('serin_flips_total{by="operator"}')).to.equal(1);
    await monitor.stop();
  });

  it("counts the flips since the monitor's start", async () => {
    const test = openTestRedis();
    const flip = (value: boolean) =>
      test.ledger.flip("feature", {
        ...{ value, reason: "try", data: {} },
        by: "operator",
      });
    await flip(false);
    await flip(true);
    // The ids of events tell milliseconds apart, and nothing shorter.
    const flippedAt = Date.now();
    await waitFor("another one", () => Date.now() > flippedAt + 1);
    const monitor = await startLeader(test);
    await flip(false);
    const flips = async () => {
      const { samples } = await scrape(monitor.url);
      return samples.get('serin_flips_total{by="operator"}') ?? 0;
    };
    await waitFor("the flip", async () => (await flips()) > 0);
    expect(await flips()).to.equal(1);
  });

  it("shows an app's figures although Redis was never reachable", async () => {
    const app = await startNamedBackend("prod");
    const agent = await startProgram("agent", {
      TARGET: "prod",
      REDIS_URL: "redis://127.0.0.1:1",
      APP_URL: app.url.origin,
      APP_PID: String(process.pid),
      SAMPLE_INTERVAL_MS: "100",
    });
    await waitFor("a sample", async () => {
      const { samples } = await scrape(agent.url);
      return samples.get('serin_app_up{target="prod"}') === 1;
    });
    await agent.stop();
  });

  it("needs no token, like the monitor's other reads", async () => {
    const monitor = await startLeader(openTestRedis(), {
      ADMIN_TOKEN: "secret",
      ENVIRONMENT: "prod",
    });
    const { text } = await scrape(monitor.url);
    expect(text).to.include("serin_monitor_leads 1");
    expect(text).to.include(
      'serin_system_info{system="serin",environment="prod"} 1',
    );
    expect(text).to.not.include("secret");
  });

  it("answers 503 after an error and logs its cause", async () => {
    const logger = createMemoryLogger();
    const read = () => Promise.reject(new Error("no figures"));
    const answer = answerMetrics(new Metrics({ version: "1", read }), logger);
    const server = createServer((request, response) => {
      void answer(request, response);
    }).listen(0, "127.0.0.1");
    onCleanup(() => server.close());
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const response = await fetch(`http://127.0.0.1:${port}/metrics`);
    expect(response.status).to.equal(503);
    expect(await response.text()).to.equal("the metrics cannot be read now\n");
    expect(logger.lines.map(({ message }) => message)).to.deep.equal([
      "the metrics could not be read",
    ]);
  });
});
