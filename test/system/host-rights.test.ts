import { expect } from "chai";
import { startHostRedis } from "../support/redis/host-redis.js";
import { createKeys, type Keys } from "../../lib/redis/keys.js";
import type { ProgramKind } from "../support/system/program-specs.js";
import { callForJson } from "../support/system/http-call.js";
import {
  NO_LATENCY_RULE,
  startLoad,
  startSystem,
} from "../support/system/start-system.js";
import { untilMailsArrive, untilState } from "../support/system/conditions.js";
import { connectRedis } from "../support/redis/redis-server.js";
import { onCleanup } from "../support/cleanup.js";
import { waitFor } from "../support/wait-for.js";

/** A system in which each program is the Redis user that it is on a host. */
async function startWithHostRights() {
  const { admin, adminUrl, users, urlOf } = await startHostRedis();
  const { redis, keys } = admin;
  const as = (program: ProgramKind) => ({ REDIS_URL: urlOf(program) });
  const system = await startSystem({
    redisUrl: adminUrl,
    keys,
    env: {
      app: { ...as("app"), BASE_LATENCY_MS: "40" },
      canaryApp: { SLOWDOWN: "2" },
      agent: as("agent"),
      proxy: as("proxy"),
      monitor: {
        ...as("monitor"),
        ...NO_LATENCY_RULE,
        VERDICT_WARM_UP: "5s",
        COOLDOWN_MS: "1000",
      },
    },
  });
  return { system, redis, users };
}

describe("the Redis users of the hosts", function () {
  this.timeout(120_000);

  it("may do all that the programs do: telemetry, a verdict and its replay, flips and mails", async () => {
    const { system, redis, users } = await startWithHostRights();
    expect(users).to.have.members([
      "serin-app",
      "serin-agent",
      "serin-proxy",
      "serin-monitor",
      "serin-operator",
      "serin-deploy",
    ]);
    startLoad(system, { perSecond: 100 });
    await waitFor(
      "the flip",
      async () => (await system.events("flip")).length > 0,
      60_000,
    );
    const [stop] = await system.events("flip");
    expect(stop?.data.rule).to.equal("verdict");
    await system.setFlag(true);
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
    const starts = await system.events("start");
    // A new leader continues with the stored verdict.
    await system.monitor.end("SIGTERM");
    await system.monitor.start();
    await untilState(
      system,
      "the stored verdict",
      ({ verdict }) => (verdict?.canary.requests ?? 0) > 0,
    );
    expect(starts.filter(({ by }) => by === "agent")).to.have.length(2);
    expect(await redis.call("ACL", "LOG")).to.deep.equal([]);
  });

  it("read and write nothing of another service", async () => {
    const { admin, users } = await startHostRedis();
    const mayRun = async (user: string, [name, ...args]: string[]) =>
      (await admin.redis.call("ACL", "DRYRUN", user, name!, ...args)) === "OK";
    for (const program of users.map((user) => user.replace("serin-", ""))) {
      for (const command of commandsOnAllKeys(admin.keys))
        expect(
          await mayRun(`shop-${program}`, command),
          `shop-${program}: ${command.join(" ")}`,
        ).to.equal(false);
      const own = commandsOnAllKeys(createKeys("shop:"));
      const allowed = await Promise.all(
        own.map((command) => mayRun(`shop-${program}`, command)),
      );
      expect(allowed, program).to.include(true);
    }
  });

  it("let the monitor alone note that a mail's link was used", async () => {
    const { admin, users } = await startHostRedis();
    const key = admin.keys.usedLink("1-1:resume");
    for (const command of [
      ["set", key, "1", "PX", "1000", "NX"],
      ["get", key],
      ["del", key],
    ])
      for (const user of users) {
        const answer = await admin.redis.call(
          "ACL",
          "DRYRUN",
          user,
          ...command,
        );
        const isReader = user === "serin-operator" && command[0] === "get";
        const may = user === "serin-monitor" || isReader;
        expect(answer === "OK", `${user}: ${command.join(" ")}`).to.equal(may);
      }
  });

  it("let the app and the agent read every flag of the service, and set none", async () => {
    const { urlOf } = await startHostRedis();
    for (const program of ["app", "agent"]) {
      const redis = connectRedis(urlOf(program, "shop"));
      onCleanup(() => redis.disconnect());
      expect(await redis.get("shop:flag:new-checkout")).to.equal(null);
      for (const refused of [
        redis.set("shop:flag:new-checkout", "true"),
        redis.get("serin:flag:feature"),
      ])
        expect(await refused.catch(String)).to.contain("NOPERM");
    }
  });
});

/** What a user could read or write of each key. */
function commandsOnAllKeys(keys: Keys): string[][] {
  const named = [keys.flag, keys.flagInfo, keys.recovery, keys.verdict];
  return [
    ...named.map((key) => key("feature")),
    ...[keys.lease, keys.leaseEpoch, keys.telemetry, keys.events],
    ...[keys.outbox, keys.alerts, keys.kv("x"), keys.usedLink("x")],
  ].flatMap((key) => [
    ["get", key],
    ["set", key, "x"],
    ["del", key],
    ["pttl", key],
    ["hget", key, "x"],
    ["hset", key, "x", "x"],
    ["xadd", key, "*", "x", "x"],
    ["xrevrange", key, "+", "-"],
    ["eval", "return 1", "1", key],
  ]);
}
