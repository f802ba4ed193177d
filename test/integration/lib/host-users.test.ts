import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "chai";
import {
  startHostRedis,
  type HostRedis,
} from "../../support/redis/host-redis.js";
import { openRollout, START } from "../../support/redis/test-rollout.js";
import { openTestRedis } from "../../support/redis/test-redis.js";

/** Commands that nobody but an administrator may run. */
const FOR_NOBODY = [
  ...["FLUSHALL", "CONFIG GET *", "KEYS *", "CLIENT KILL TYPE normal"],
  ...["CLIENT PAUSE 1000", "ACL SETUSER x on", "DEBUG SLEEP 1", "SAVE"],
  "SET other x",
];
const EVAL_ALL =
  "EVAL x 8 flag:feature flag:feature:info recovery:feature events outbox lease rollout:feature flag:feature:weight";
const EVAL_RECORD = "EVAL x 4 events outbox alerts lease";

/** What each user may and may not do; keys without their prefix. */
const RIGHTS: Record<string, { may: string[]; mayNot: string[] }> = {
  app: {
    may: [
      ...["GET flag:feature", "GET lease", "PTTL lease", "GET kv:x"],
      ...["SET kv:x 1 EX 10", "INFO", "CLIENT TRACKING ON BCAST"],
      ...["GET flag:new-checkout", "HGET flag:new-checkout:info at"],
      "SUBSCRIBE __redis__:invalidate",
    ],
    mayNot: [
      ...["XADD events * kind flip", "XADD telemetry * kind traffic"],
      ...["XADD outbox * kind flip", "EVAL x 0", "EVAL x 1 kv:x", "FCALL x 0"],
      ...["SET flag:feature true", "HSET flag:feature:info by operator"],
      ...["SET lease x", "DEL kv:x", "XRANGE events - +", "MULTI"],
      ...["PUBLISH __redis__:invalidate x", "SCRIPT KILL", "SCRIPT LOAD x"],
    ],
  },
  agent: {
    may: [
      ...["XADD telemetry MAXLEN ~ 10 * kind host", "INFO"],
      ...["GET flag:new-checkout", "HGET flag:new-checkout:info at"],
      "SUBSCRIBE __redis__:invalidate",
    ],
    mayNot: [
      ...["XADD events * kind start", "EVAL x 0", "EVAL x 1 telemetry"],
      ...["XREAD STREAMS telemetry 0", "SET flag:feature true", "GET kv:x"],
      ...["SET flag:feature:weight 25", "HSET rollout:feature phase Healthy"],
      ...["XTRIM telemetry MAXLEN 0", "MULTI"],
    ],
  },
  proxy: {
    may: [
      ...["XADD telemetry * kind traffic", "GET flag:feature", EVAL_ALL],
      ...["SET flag:feature false", "XADD events * kind flip", EVAL_RECORD],
      ...["HSET rollout:feature phase Aborted", "SET flag:feature:weight 0"],
      ...["GET flag:feature:weight", "HGET rollout:feature id"],
    ],
    mayNot: [
      ...["SET lease x", "DEL lease", "GET kv:x", "XREAD STREAMS outbox 0"],
      ...["HSET alerts x y", "SET verdict:feature x", "DEL rollout:feature"],
    ],
  },
  monitor: {
    may: [
      ...["SET lease x", "PTTL lease", "XREAD STREAMS events 0", EVAL_ALL],
      ...["XTRIM telemetry MINID 0", "HSETNX alerts x y", "XDEL outbox 1-0"],
      ...["HMGET rollout:feature id phase", "DEL flag:feature:weight"],
    ],
    mayNot: ["GET kv:x", "SET kv:x 1"],
  },
  operator: {
    may: [
      ...["SET flag:feature false", "DEL flag:feature", EVAL_ALL],
      ...["XRANGE events - +", "GET kv:x", "ACL LOG", "SCRIPT KILL"],
      ...["HGETALL rollout:feature", "HMGET rollout:feature id phase"],
    ],
    mayNot: ["SET lease x", "XDEL outbox 1-0", "SET kv:x 1", "SCRIPT FLUSH"],
  },
  deploy: {
    may: ["XADD events * kind deploy", EVAL_RECORD],
    mayNot: [
      ...["GET flag:feature", "SET flag:feature true", "GET lease"],
      ...["XADD outbox * kind flip", "XADD telemetry * kind host"],
    ],
  },
};

describe("the Redis users of a host", () => {
  let host: HostRedis;

  beforeEach(async () => {
    host = await startHostRedis();
  });

  /** `OK`, or why the user may not run it. */
  async function ask(user: string, command: string): Promise<string> {
    const { redis, keys } = host.admin;
    const isKey =
      /^(flag|lease|recovery|verdict|rollout|events|outbox|alerts|telemetry|kv|other)/;
    const words = command
      .split(" ")
      .map((word) => (isKey.test(word) ? keys.prefix + word : word));
    return String(await redis.call("ACL", "DRYRUN", user, ...words));
  }

  it("have the rights of this table, and no more", async () => {
    expect(host.users.sort()).to.deep.equal(
      Object.keys(RIGHTS)
        .map((program) => `serin-${program}`)
        .sort(),
    );
    for (const [program, { may, mayNot }] of Object.entries(RIGHTS)) {
      const user = `serin-${program}`;
      for (const command of may)
        expect(await ask(user, command), `${user}: ${command}`).to.equal("OK");
      for (const command of [...mayNot, ...FOR_NOBODY])
        expect(await ask(user, command), `${user}: ${command}`).to.match(
          /no permissions|can't run/,
        );
    }
  });

  it("let the operator steer a rollout, and the proxy abort it", async () => {
    const { keys } = host.admin;
    const open = (user: string) =>
      openTestRedis({ url: host.urlOf(user), keys });
    const operator = openRollout(open("operator"));
    expect(await operator.ask(START)).to.include("has started");
    const { ledger } = open("proxy");
    await ledger.flip("feature", {
      ...{ value: false, by: "proxy", reason: "the breaker has tripped" },
      data: { rule: "breaker" },
    });
    expect(await operator.rollout()).to.include({ outcome: "breaker" });
    const monitor = openRollout(open("monitor"));
    expect(await monitor.ask({ verb: "retry" })).to.include("step 1 of 4");
    await monitor.ask({ verb: "promote", full: true });
    expect(await monitor.ask({ verb: "finish" })).to.include("is Healthy");
  });

  it("let the operator end a script that does not end", async () => {
    const operator = openTestRedis({ url: host.urlOf("operator") }).redis;
    await operator.get(host.admin.keys.flag("feature"));
    const endless = host.admin.redis
      .eval("while true do end", 0)
      .catch((err: unknown) => String(err));
    let killed: unknown;
    while (killed !== "OK") {
      killed = await operator
        .call("SCRIPT", "KILL")
        .catch((err: unknown) => String(err));
      await sleep(20);
    }
    expect(await endless).to.include("Script killed by user");
  });
});
