import { expect } from "chai";
import { startPrivateRedis } from "../support/redis/private-redis.js";
import type { ProgramKind } from "../support/system/program-specs.js";
import { onCleanup } from "../support/cleanup.js";
import { createHostUsers } from "../support/redis/redis-rights.js";
import { connectRedis, freshKeys } from "../support/redis/redis-server.js";
import { callForJson } from "../support/system/http-call.js";
import {
  NO_LATENCY_RULE,
  startLoad,
  startSystem,
} from "../support/system/start-system.js";
import { untilMailsArrive } from "../support/system/conditions.js";
import { waitFor } from "../support/wait-for.js";

const PASSWORD = "only-in-this-test";

/** A system in which each program is the Redis user that it is on a host. */
async function startWithHostRights() {
  const { url, port, stop } = await startPrivateRedis();
  onCleanup(stop);
  const redis = connectRedis(url);
  onCleanup(() => {
    redis.disconnect();
  });
  const keys = freshKeys();
  const users = await createHostUsers(redis, {
    keyPrefix: keys.prefix,
    flagName: "feature",
    password: PASSWORD,
  });
  const as = (program: ProgramKind) => ({
    REDIS_URL: `redis://serin-${program}:${PASSWORD}@127.0.0.1:${port}`,
  });
  const system = await startSystem({
    redisUrl: url,
    keys,
    env: {
      app: { ...as("app"), BASE_LATENCY_MS: "40" },
      canaryApp: { SLOWDOWN: "2" },
      agent: as("agent"),
      proxy: as("proxy"),
      monitor: {
        ...as("monitor"),
        ...NO_LATENCY_RULE,
        COOLDOWN_MS: "1000",
      },
    },
  });
  return { system, redis, users };
}

describe("the Redis users of the hosts", function () {
  this.timeout(120_000);

  it("may do all that the programs do: telemetry, a verdict and its replay, flips, mails and a recovery", async () => {
    const { system, redis, users } = await startWithHostRights();
    expect(users).to.have.members([
      "serin-app",
      "serin-agent",
      "serin-proxy",
      "serin-monitor",
      "serin-operator",
    ]);
    startLoad(system, { perSecond: 100 });
    await waitFor(
      "the flip and the recovery",
      async () => (await system.events("flip")).length >= 2,
      60_000,
    );
    const [stop, recovery] = await system.events("flip");
    expect(stop?.data.rule).to.equal("verdict");
    expect(recovery?.by).to.equal("monitor");
    await untilMailsArrive(system, 2);
    const replay = (await callForJson({
      port: system.monitor.port,
      path: `/api/verdicts/${stop!.id}`,
    })) as { recorded: number; verdict: { evidence: number } };
    expect(replay.verdict.evidence).to.equal(replay.recorded);
    await callForJson({
      port: system.monitor.port,
      path: "/api/release",
      method: "POST",
      body: "{}",
    });
    await system.setFlag(false);
    expect(await redis.call("ACL", "LOG")).to.deep.equal([]);
  });
});
