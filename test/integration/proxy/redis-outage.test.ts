import { setTimeout as delay } from "node:timers/promises";
import { expect } from "chai";
import {
  startPrivateRedis,
  type PrivateRedis,
} from "../../support/redis/private-redis.js";
import { findServicePort } from "../../support/system/service-port.js";
import { startNamedBackend } from "../../support/http/backend.js";
import { onCleanup } from "../../support/cleanup.js";
import { describeEngines } from "../../support/http/engines.js";
import { createKeepAliveAgent, send } from "../../support/http/http-client.js";
import {
  canaryToBe,
  startProxyProgram,
  type ProxyProgram,
} from "../../support/programs/proxy-program.js";
import { waitFor } from "../../support/wait-for.js";

const FLAG_STALE_MS = 1500;
/** Time for a request that was sent to the canary just in time. */
const SLACK_MS = 250;
const PAUSE_MS = 3;

async function startRedis(port?: number): Promise<PrivateRedis> {
  const redis = await startPrivateRedis(port === undefined ? {} : { port });
  onCleanup(() => redis.stop());
  return redis;
}

async function startSides(redisUrl: string): Promise<ProxyProgram> {
  const prod = await startNamedBackend("prod");
  const canary = await startNamedBackend("canary");
  return await startProxyProgram({
    REDIS_URL: redisUrl,
    FLAG_STALE_MS: String(FLAG_STALE_MS),
    PROD_URLS: prod.url.origin,
    CANARY_URLS: canary.url.origin,
  });
}

/** Sends one request after the other until stopped, with pauses that leave the machine to others. */
function startTraffic({ port }: ProxyProgram) {
  const agent = createKeepAliveAgent(1);
  const traffic = {
    failures: [] as unknown[],
    canarySentAt: 0,
    sent: 0,
    stop: async () => {
      going = false;
      await done;
    },
  };
  let going = true;
  const run = async () => {
    while (going) {
      await delay(PAUSE_MS);
      traffic.sent += 1;
      const sentAt = performance.now();
      try {
        const { status, servedBy } = await send(port, { agent });
        if (status !== 200) traffic.failures.push(status);
        if (servedBy === "canary") traffic.canarySentAt = sentAt;
      } catch (err) {
        traffic.failures.push(err);
      }
    }
  };
  const done = run();
  onCleanup(traffic.stop);
  return traffic;
}

describeEngines("proxy without Redis", () => {
  for (const [how, take, giveBack] of [
    [
      "killed and brought back",
      (redis: PrivateRedis) => redis.stop(),
      (redis: PrivateRedis) => startRedis(redis.port),
    ],
    [
      "hung and woken up",
      (redis: PrivateRedis) => process.kill(redis.pid, "SIGSTOP"),
      (redis: PrivateRedis) => process.kill(redis.pid, "SIGCONT"),
    ],
  ] as const) {
    it(`fails no request while Redis is ${how}: the canary stops in time and resumes`, async () => {
      const redis = await startRedis();
      const proxy = await startSides(redis.url);
      const traffic = startTraffic(proxy);
      await waitFor("the canary to serve", () => traffic.canarySentAt > 0);

      await take(redis);
      const takenAt = performance.now();
      await canaryToBe(proxy, /^flag is stale: Redis does not answer$/);
      const closedAt = performance.now();
      const sent = traffic.sent;
      await waitFor("more traffic", () => traffic.sent > sent + 50);
      expect(traffic.canarySentAt - takenAt).to.be.below(
        FLAG_STALE_MS + SLACK_MS,
      );

      await giveBack(redis);
      await waitFor(
        "the canary to serve again",
        () => traffic.canarySentAt > closedAt + SLACK_MS,
      );
      await traffic.stop();
      expect(traffic.failures).to.deep.equal([]);
    });
  }

  it("starts without Redis, sends all to prod, and opens the canary when Redis appears", async () => {
    const port = await findServicePort();
    const proxy = await startSides(`redis://127.0.0.1:${port}`);
    const traffic = startTraffic(proxy);
    await waitFor("traffic", () => traffic.sent > 50);
    expect(traffic.canarySentAt).to.equal(0);
    expect(await proxy.status()).to.deep.include({
      canary: {
        open: false,
        because: "flag is unknown: Redis has not answered yet",
      },
      flag: { value: null, confirmedAgoMs: null },
    });

    await startRedis(port);
    await waitFor("the canary to serve", () => traffic.canarySentAt > 0);
    await traffic.stop();
    expect(traffic.failures).to.deep.equal([]);
    const outages = proxy.log.filter(({ level }) => level === "warn");
    expect(outages.length).to.be.at.most(3);
  });
});
