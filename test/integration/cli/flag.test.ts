import { hostname } from "node:os";
import { expect } from "chai";
import { startPrivateRedis } from "../../support/redis/private-redis.js";
import { onCleanup } from "../../support/cleanup.js";
import { NOWHERE, runCli } from "../../support/programs/cli.js";
import { redisUrl } from "../../support/redis/redis-server.js";
import { runningTime } from "../../support/running-time.js";
import {
  openTestRedis,
  type TestRedis,
} from "../../support/redis/test-redis.js";

const OPERATOR = `alice@${hostname()}`;

describe("serin flag", () => {
  let test: TestRedis;

  beforeEach(() => {
    test = openTestRedis();
  });

  const flag = (...args: string[]) => runCli(test.keys, ["flag", ...args]);

  it("prints on or off and nothing else", async () => {
    expect(await flag("get")).to.deep.equal({
      status: 0,
      stdout: "on\n",
      stderr: "",
    });
    await test.redis.set(test.keys.flag("feature"), "nonsense");
    expect((await flag("get")).stdout).to.equal("off\n");
  });

  it("stops the canary without a monitor: entered in the ledger with who and why, and mailed", async () => {
    expect(await flag("off", "--reason", " bad\nrelease ")).to.deep.equal({
      status: 0,
      stdout: "feature is off: bad release\n",
      stderr: "",
    });
    expect(await test.redis.get(test.keys.flag("feature"))).to.equal("false");
    const [event] = await test.events();
    expect(event).to.deep.include({
      kind: "flip",
      by: "operator",
      reason: "bad release",
      data: { flag: "feature", value: false, operator: OPERATOR },
    });
    expect(await test.outbox()).to.have.length(1);
    const facts = JSON.parse((await flag("get", "--json")).stdout) as object;
    expect(facts).to.deep.equal({
      name: "feature",
      value: false,
      garbled: false,
      by: "operator",
      reason: "bad release",
      at: event?.at,
    });
  });

  it("names who asked when no reason is given", async () => {
    const { stdout } = await flag("toggle");
    expect(stdout).to.equal(
      `feature is off: asked for with serin by ${OPERATOR}\n`,
    );
    expect((await flag("toggle")).stdout).to.match(/^feature is on: /);
  });

  it("says that nothing was changed", async () => {
    expect((await flag("on")).stdout).to.equal(
      "feature is on already: nothing was changed\n",
    );
    expect(await test.events()).to.be.empty;
  });

  it("takes a flag over that the monitor has set to false", async () => {
    const flip = { value: false, by: "monitor", reason: "slow", data: {} };
    await test.ledger.flip("feature", { ...flip, by: "monitor" });
    expect((await flag("off", "--reason", "mine")).stdout).to.equal(
      "feature is off already, and stays so until a person switches it on: mine\n",
    );
    expect(await test.redis.hget(test.keys.flagInfo("feature"), "by")).to.equal(
      "operator",
    );
  });

  it("refuses a reason that is none", async () => {
    expect(await flag("off", "--reason", "  ")).to.deep.equal({
      status: 2,
      stdout: "",
      stderr: "serin: --reason takes 1 to 500 characters\n",
    });
    expect(await test.redis.exists(test.keys.flag("feature"))).to.equal(0);
  });

  it("says in one sentence that Redis is away", async () => {
    const REDIS_URL = `redis://user:hunter2@${NOWHERE}`;
    expect(
      await runCli(test.keys, ["flag", "get"], { REDIS_URL }),
    ).to.deep.equal({
      status: 3,
      stdout: "",
      stderr: `serin: Redis at ${NOWHERE} cannot be reached: nothing listens there\n`,
    });
  });

  it("gives up on a Redis that accepts and does not answer", async () => {
    const server = await startPrivateRedis();
    onCleanup(server.stop);
    process.kill(server.pid, "SIGSTOP");
    const began = runningTime();
    const { status, stderr } = await runCli(test.keys, ["flag", "off"], {
      REDIS_URL: server.url,
    });
    expect(stderr).to.equal(
      `serin: Redis at ${new URL(server.url).host} cannot be reached: no answer in time\n`,
    );
    expect(status).to.equal(3);
    expect(runningTime() - began).to.be.below(8000);
  });

  it("tells a wrong password from an absent Redis", async () => {
    const url = new URL(redisUrl());
    url.username = "nobody";
    url.password = "hunter2";
    const { status, stderr } = await runCli(test.keys, ["flag", "get"], {
      REDIS_URL: url.href,
    });
    expect(status).to.equal(4);
    expect(stderr).to.match(/^serin: Redis at \S+ refuses: WRONGPASS .*\n$/);
    expect(stderr).not.to.include("hunter2");
  });

  it("lists every bad setting, without a stack", async () => {
    const { status, stderr } = await runCli(test.keys, ["flag", "get"], {
      FLAG_NAME: "a b",
      MONITOR_URL: "ftp://x",
    });
    expect(status).to.equal(2);
    expect(stderr).to.equal(
      [
        "serin: bad settings:",
        '  - FLAG_NAME is "a b": give 1 to 64 of A-Z a-z 0-9 . _ -',
        '  - MONITOR_URL is "ftp://x": give an origin such as http://127.0.0.1:8090 or https://serin.example.com\n',
      ].join("\n"),
    );
  });
});
