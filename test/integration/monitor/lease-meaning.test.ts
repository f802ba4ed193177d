import { expect } from "chai";
import { describeHeadline } from "../../../lib/wording/headline.js";
import { onCleanup } from "../../support/cleanup.js";
import { startFleet } from "../../support/monitor/fleet.js";
import { runCli } from "../../support/programs/cli.js";
import { startLeader } from "../../support/programs/monitor-program.js";
import { startPrivateRedis } from "../../support/redis/private-redis.js";
import { redisUrl } from "../../support/redis/redis-server.js";
import {
  openTestRedis,
  type TestRedis,
} from "../../support/redis/test-redis.js";
import { runningTime } from "../../support/running-time.js";
import { waitFor } from "../../support/wait-for.js";

/** Expects that the lease ends while `fault` lasts, that the reason is told everywhere, and that it returns by itself. */
async function expectNoLease(
  test: TestRedis,
  url: string,
  fault: {
    begin: () => Promise<unknown>;
    end: () => Promise<unknown>;
    reason: string;
  },
): Promise<void> {
  const monitor = await startLeader(test, { REDIS_URL: url });
  const ready = async () => {
    const answer = await fetch(`${monitor.url}/readyz`);
    return `${answer.status} ${await answer.text()}`;
  };
  await waitFor("it to be ready", async () =>
    (await ready()).startsWith("200"),
  );
  await fault.begin();
  const began = runningTime();
  await waitFor(
    "the end of the lease",
    async () => (await test.redis.exists(test.keys.lease)) === 0,
    8000,
  );
  expect(runningTime() - began).to.be.below(6000);
  expect(await ready())
    .to.match(/^503 /)
    .and.include(fault.reason);
  const state = await monitor.state();
  expect(state.obstacle).to.include(fault.reason);
  expect(describeHeadline(state, Date.now()).text).to.include(
    `No monitor leads: ${state.obstacle}`,
  );
  const warnings = monitor.log.filter(
    ({ msg, reason }) =>
      msg.startsWith("cannot judge") && reason === state.obstacle,
  );
  expect(warnings).to.have.length(1);
  const env = { MONITOR_URL: monitor.url, REDIS_URL: url };
  const { stdout } = await runCli(test.keys, ["doctor"], env);
  expect(stdout).to.include(`cannot lead: ${state.obstacle}`);
  await fault.end();
  await waitFor("it to lead again", () => monitor.leads());
  await waitFor("it to be ready again", async () =>
    (await ready()).startsWith("200"),
  );
}

describe("the lease", () => {
  it("ends while Redis is full", async () => {
    const server = await startPrivateRedis();
    onCleanup(server.stop);
    const test = openTestRedis({ url: server.url });
    startFleet(test);
    await expectNoLease(test, server.url, {
      begin: () => test.redis.config("SET", "maxmemory", "1"),
      end: () => test.redis.config("SET", "maxmemory", "0"),
      reason: "OOM command not allowed",
    });
  });

  it("ends while the leader may not read the telemetry", async () => {
    const test = openTestRedis();
    const user = test.keys.prefix.replace(/\W/g, "");
    const all = ["on", "nopass", "~*", "&*", "+@all"];
    await test.redis.acl("SETUSER", user, ...all);
    onCleanup(() => test.redis.acl("DELUSER", user));
    startFleet(test);
    const url = redisUrl().replace("://", `://${user}:x@`);
    await expectNoLease(test, url, {
      begin: () => test.redis.acl("SETUSER", user, "-xread"),
      end: () => test.redis.acl("SETUSER", user, "+xread"),
      reason: "telemetry cannot be read: Redis refuses: NOPERM",
    });
  });

  for (const [whose, fields, isAlone] of [
    ["no proxy's telemetry", [], true],
    ["one of two proxies' telemetry", ["source", "proxy@edge2:8080"], false],
  ] as const)
    it(`ends while ${whose} can be understood`, async () => {
      const test = openTestRedis();
      let isGarbled = false;
      const garbage = setInterval(() => {
        if (isGarbled)
          void test.redis.xadd(
            test.keys.telemetry,
            ...["*", "kind", "traffic", ...fields],
          );
      }, 100);
      onCleanup(() => clearInterval(garbage));
      const fleet = startFleet(test);
      await expectNoLease(test, redisUrl(), {
        begin: () => {
          if (isAlone) fleet.silent.add(fleet.proxy);
          isGarbled = true;
          return Promise.resolve();
        },
        end: () => {
          fleet.silent.clear();
          // What names no proxy does not matter beside what can be understood.
          if (!isAlone) isGarbled = false;
          return Promise.resolve();
        },
        reason: "cannot be understood: data is not JSON",
      });
    });
});
