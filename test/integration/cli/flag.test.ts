import { hostname } from "node:os";
import { expect } from "chai";
import { startPrivateRedis } from "../../support/redis/private-redis.js";
import { onCleanup } from "../../support/cleanup.js";
import { NOWHERE, runCli } from "../../support/programs/cli.js";
import { redisUrl } from "../../support/redis/redis-server.js";
import { startHeardFleet } from "../../support/monitor/fleet.js";
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

  it("sets a further flag, which is off while the canary is stopped", async () => {
    await startHeardFleet(test);
    const further = (...args: string[]) => flag(...args, "--flag", "checkout");
    expect((await further("get")).stdout).to.equal("unset\n");
    expect((await further("on", "--reason", "try")).stdout).to.equal(
      "checkout is on: try\n",
    );
    expect((await further("get")).stdout).to.equal("on\n");
    await flag("off");
    expect((await further("get")).stdout).to.equal("off\n");
    expect((await further("off")).stdout).to.match(/^checkout is off: /);
    expect((await further("toggle")).stdout).to.match(
      /^checkout is on: .*\nit stays off while the canary is stopped: feature is off\n$/,
    );
    const told = (await test.events())
      .filter(({ data }) => data.flag === "checkout")
      .map(({ data }) => data.value);
    expect(told).to.deep.equal([true, false, true]);
    // Only the canary's flag is worth a mail.
    expect(await test.outbox()).to.have.length(1);
    const bad = await flag("on", "--flag", "two words");
    expect(bad.stderr).to.match(/no flag can be named two words/);
    expect(bad.status).to.equal(2);
  });

  it("stops the canary without a monitor, with an event and a mail", async () => {
    await startHeardFleet(test);
    expect(await flag("off", "--reason", " bad\nrelease ")).to.deep.equal({
      status: 0,
      stdout:
        "feature is off: bad release\n1 proxy stopped the canary after 3 ms; no request was in flight\n",
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

  it("names the operator when no reason is given", async () => {
    const { stdout } = await flag("toggle");
    expect(stdout).to.equal(`feature is off: set with serin by ${OPERATOR}\n`);
    expect((await flag("toggle")).stdout).to.match(/^feature is on: /);
  });

  it("reports when nothing was changed", async () => {
    expect((await flag("on")).stdout).to.equal(
      "feature is on already: nothing was changed\n",
    );
    expect((await flag("on", "--reason", "hm")).stdout).to.equal(
      "feature is on already: nothing was changed, and the reason was not recorded\n",
    );
    expect(await test.events()).to.be.empty;
  });

  it("fails when no proxy reads this Redis", async () => {
    expect(await flag("off", "--reason", "bad")).to.deep.equal({
      status: 1,
      stdout: "feature is off: bad\n",
      stderr: "serin: no proxy reads this Redis: nothing was stopped\n",
    });
    expect((await flag("off")).status).to.equal(1);
  });

  it("fails when a proxy does not confirm within two seconds", async () => {
    const fleet = await startHeardFleet(test);
    fleet.silent.add(fleet.proxy);
    const { status, stdout } = await flag("off", "--reason", "bad");
    expect(status).to.equal(1);
    expect(stdout).to.equal(
      "feature is off: bad\nproxy@edge1:8080 did not confirm within 2 s\n",
    );
  });

  it("takes over a flag that the monitor set to false", async () => {
    const flip = { value: false, by: "monitor", reason: "slow", data: {} };
    await test.ledger.flip("feature", { ...flip, by: "monitor" });
    expect((await flag("off", "--reason", "mine")).stdout).to.equal(
      "feature is off already, and stays off until an operator resumes it: mine\n",
    );
    expect(await test.redis.hget(test.keys.flagInfo("feature"), "by")).to.equal(
      "operator",
    );
  });

  it("rejects an empty reason", async () => {
    expect(await flag("off", "--reason", "  ")).to.deep.equal({
      status: 2,
      stdout: "",
      stderr: "serin: --reason takes 1 to 500 characters\n",
    });
    expect(await test.redis.exists(test.keys.flag("feature"))).to.equal(0);
  });

  it("reports in one sentence that Redis is unreachable", async () => {
    const REDIS_URL = `redis://user:hunter2@${NOWHERE}`;
    expect(
      await runCli(test.keys, ["flag", "get"], { REDIS_URL }),
    ).to.deep.equal({
      status: 3,
      stdout: "",
      stderr: `serin: Redis at ${NOWHERE} cannot be reached: nothing listens there\n`,
    });
  });

  it("gives up on a Redis that accepts connections but does not answer", async () => {
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

  it("distinguishes a wrong password from an unreachable Redis", async () => {
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
