import { expect } from "chai";
import { onCleanup } from "../support/cleanup.js";
import { startMuteLink } from "../support/http/mute-link.js";
import { startPrivateRedis } from "../support/redis/private-redis.js";
import { connectRedis } from "../support/redis/redis-server.js";
import {
  untilCanaryServes,
  untilProxySees,
  untilWhole,
} from "../support/system/conditions.js";
import { monotonicMs } from "../support/system/monotonic.js";
import { startLoad, startSystem } from "../support/system/start-system.js";
import { waitFor } from "../support/wait-for.js";

async function startServer() {
  const server = await startPrivateRedis();
  onCleanup(server.stop);
  const redis = connectRedis(server.url);
  onCleanup(() => redis.disconnect());
  return { port: server.port, redis };
}

describe("Redis that fails over behind one address", function () {
  this.timeout(60_000);

  it("is followed by every program, although the demoted server keeps their connections", async () => {
    const [first, second] = [await startServer(), await startServer()];
    await second.redis.replicaof("127.0.0.1", first.port);
    const link = await startMuteLink(first.port);
    const system = await startSystem({
      redisUrl: `redis://127.0.0.1:${link.port}`,
    });
    const load = startLoad(system);
    await untilCanaryServes(load);
    await waitFor("the replica to follow", async () =>
      (await second.redis.info("replication")).includes("link_status:up"),
    );

    link.redirect(second.port);
    await second.redis.replicaof("NO", "ONE");
    await first.redis.replicaof("127.0.0.1", second.port);
    const { keys } = system;
    const length = () => second.redis.xlen(keys.telemetry);
    const before = await length();
    await waitFor(
      "telemetry on the new primary",
      async () => (await length()) > before + 10,
    );
    await untilWhole(system);
    await untilCanaryServes(load, monotonicMs());
    await system.setFlag(false);
    await untilProxySees(system, false);
    expect(await second.redis.get(keys.flag("feature"))).to.equal("false");
    await load.stop();
    expect(load.failures).to.deep.equal([]);
  });
});
