import { expect } from "chai";
import { startPrivateRedis } from "../../support/redis/private-redis.js";
import { findServicePort } from "../../support/system/service-port.js";
import { onCleanup } from "../../support/cleanup.js";
import { startFleet } from "../../support/monitor/fleet.js";
import {
  startLeader,
  startMonitorProgram,
} from "../../support/programs/monitor-program.js";
import { startMuteLink } from "../../support/http/mute-link.js";
import { freshKeys, redisUrl } from "../../support/redis/redis-server.js";
import { runningTime } from "../../support/running-time.js";
import { openTestRedis } from "../../support/redis/test-redis.js";
import { waitFor } from "../../support/wait-for.js";

const status = async (url: string) => (await fetch(url)).status;

describe("monitor without Redis", () => {
  it("starts, is not ready, and leads once Redis appears", async () => {
    const port = await findServicePort();
    const url = `redis://127.0.0.1:${port}`;
    const keys = freshKeys();
    const monitor = await startMonitorProgram({ keys }, { REDIS_URL: url });
    expect(await status(`${monitor.url}/healthz`)).to.equal(200);
    expect(await status(`${monitor.url}/readyz`)).to.equal(503);
    expect(await status(`${monitor.url}/api/state`)).to.equal(503);
    expect(await status(`${monitor.url}/api/events`)).to.equal(503);
    expect((await monitor.postFlag({ value: false })).status).to.equal(503);

    const server = await startPrivateRedis({ port });
    onCleanup(server.stop);
    await waitFor("it to lead", () => monitor.leads());
    expect(await status(`${monitor.url}/readyz`)).to.equal(200);
    const test = openTestRedis({ url, keys });
    await waitFor("its start in the ledger", async () =>
      (await test.events()).some(({ kind }) => kind === "start"),
    );
    startFleet(test).latencyMs.canary = 900;
    await waitFor("the flip", async () => {
      return (await test.redis.get(keys.flag("feature"))) === "false";
    });
  });

  it("stops in order when Redis never appeared", async () => {
    const port = await findServicePort();
    const REDIS_URL = `redis://127.0.0.1:${port}`;
    const monitor = await startMonitorProgram(
      { keys: freshKeys() },
      { REDIS_URL },
    );
    const began = runningTime();
    await monitor.stop();
    expect(runningTime() - began).to.be.below(4000);
  });

  it("survives a restart of Redis, and leads and judges again", async () => {
    const first = await startPrivateRedis();
    onCleanup(first.stop);
    const before = openTestRedis({ url: first.url });
    startFleet(before);
    const env = { REDIS_URL: first.url };
    const monitor = await startLeader(before, env);
    await waitFor("it to hear", async () => {
      return (await monitor.state()).hosts.length === 2;
    });
    await first.stop();
    await waitFor("the loss of the lease", () => !monitor.leads());
    expect(await status(`${monitor.url}/api/state`)).to.equal(503);
    expect(await status(`${monitor.url}/healthz`)).to.equal(200);
    const outage = monitor.log.length;

    const second = await startPrivateRedis({ port: first.port });
    onCleanup(second.stop);
    await waitFor("it to lead again", () => monitor.leads());
    const after = openTestRedis({ url: second.url, keys: before.keys });
    // The epoch grows although the counter was lost.
    expect((await monitor.state()).lease?.epoch).to.be.above(1);
    await waitFor("the fleet to be heard", async () => {
      return (await monitor.state()).sides.prod.requests > 0;
    });
    startFleet(after).latencyMs.canary = 900;
    await waitFor("the flip", async () => {
      return (await after.redis.get(after.keys.flag("feature"))) === "false";
    });
    // One line for each connection, not one a second.
    expect(outage).to.be.below(40);
  }).timeout(40_000);

  it("reconnects to Redis when all its connections are dead", async () => {
    const link = await startMuteLink(Number(new URL(redisUrl()).port));
    const test = openTestRedis();
    const REDIS_URL = `redis://127.0.0.1:${link.port}`;
    const monitor = await startLeader(test, { REDIS_URL });
    startFleet(test).latencyMs.canary = 900;
    link.mute();
    await waitFor(
      "the flip",
      async () => {
        return (await test.redis.get(test.keys.flag("feature"))) === "false";
      },
      10_000,
    );
    expect(monitor.leads()).to.be.true;
  });
});
