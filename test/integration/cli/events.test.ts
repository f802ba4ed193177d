import { expect } from "chai";
import { Cli, runCli, startCliProcess } from "../../support/programs/cli.js";
import type { LedgerEvent } from "../../../lib/flag/ledger.js";
import {
  openTestRedis,
  type TestRedis,
} from "../../support/redis/test-redis.js";
import { RedisProgram } from "../../support/system/redis-program.js";
import { onCleanup } from "../../support/cleanup.js";

describe("serin events", () => {
  let test: TestRedis;

  beforeEach(() => {
    test = openTestRedis();
  });

  const events = (...args: string[]) => runCli(test.keys, ["events", ...args]);

  async function record(
    reason: string,
    kind: LedgerEvent["kind"] = "alert",
    to = test,
  ) {
    await to.ledger.record({ kind, by: "monitor", reason, data: {} });
  }

  it("prints the newest events in aligned lines, oldest first", async () => {
    for (const reason of ["one", "two", "three"]) await record(reason);
    await test.ledger.flip("feature", {
      ...{ value: false, by: "operator", reason: "four", data: {} },
      by: "operator",
    });
    const { stdout, status } = await events("--limit", "3");
    expect(status).to.equal(0);
    expect(stdout.replaceAll(/\d\d:\d\d:\d\d UTC/g, "TIME")).to.equal(
      [
        "TIME  alert     monitor   two",
        "TIME  alert     monitor   three",
        "TIME  flip      operator  feature is off: four\n",
      ].join("\n"),
    );
  });

  it("prints a flip and its cause in one line, and both as JSON", async () => {
    await test.ledger.flip("feature", {
      ...{ value: false, reason: "slow", data: {} },
      ...{ by: "monitor", cause: "breach" },
    });
    await record("an alert is over", "recovery");
    const { stdout } = await events();
    expect(stdout).to.match(/^.* flip .* feature is off: slow\n/);
    expect(stdout).to.match(/\n.* recovery .* an alert is over\n$/);
    expect((await events("--json")).stdout.match(/"slow"/g)).to.have.length(2);
    expect((await events("--kind", "breach")).stdout).to.match(
      / breach .* slow/,
    );
  });

  it("prints all events since a time", async () => {
    const old = Date.now() - 3_600_000;
    await test.redis.xadd(
      ...([test.keys.events, `${old}-0`] as const),
      ...["kind", "alert", "by", "monitor", "reason", "long ago"],
      ...["at", new Date(old).toISOString(), "data", "{}"],
    );
    for (let i = 0; i < 22; i++) await record(`event ${i}`);
    const count = async (...args: string[]) =>
      (await events(...args)).stdout.trimEnd().split("\n").length;
    expect(await count()).to.equal(20);
    expect(await count("--since", "30m")).to.equal(22);
    expect(await count("--since", new Date(old).toISOString())).to.equal(23);
    expect(await count("--since", "2h", "--limit", "3")).to.equal(3);
  });

  it("prints events of one kind as JSON lines", async () => {
    await record("a start", "start");
    await record("an alert");
    const { stdout } = await events("--json", "--kind", "start");
    const [event] = await test.events();
    expect(stdout).to.equal(`${JSON.stringify(event)}\n`);
  });

  it("removes control characters from a reason", async () => {
    await record("red \u001b[31malert\u009b1m\r\nfake line");
    const { stdout } = await events();
    expect(stdout).to.match(/ {2}red {2}\[31malert 1m fake line\n$/);
    const json = (await events("--json")).stdout;
    expect(json).to.include("\\u001b[31m").and.include("\\u009b1m");
  });

  it("rejects an unknown kind and an invalid limit", async () => {
    for (const args of [
      ["--kind", "nonsense"],
      ["--limit", "1001"],
      ["--limit", "-1"],
      ["--since", "yesterday"],
    ]) {
      const { status, stdout, stderr } = await events(...args);
      expect(status, args.join(" ")).to.equal(2);
      expect(stdout).to.equal("");
      expect(stderr).to.match(/^error: option .* is invalid\./);
    }
  });

  it("follows new events, prints each once, and ends cleanly at Ctrl-C", async () => {
    await record("before");
    const args = ["events", "--follow", "--limit", "1"];
    const cli = startCliProcess(test.keys, args);
    await cli.untilPrinted(/before/);
    await record("after");
    await cli.untilPrinted(/after/);
    expect(await cli.end("SIGINT")).to.equal(0);
    expect(cli.stdout.match(/before|after/g)).to.deep.equal([
      "before",
      "after",
    ]);
  });

  it("follows across an outage of Redis and reports it on standard error", async () => {
    const server = await RedisProgram.create();
    onCleanup(() => server.close());
    await server.start();
    const cli = new Cli(test.keys, ["events", "--follow"], {
      REDIS_URL: server.url,
    });
    const own = openTestRedis({ url: server.url, keys: test.keys });
    await record("before", "alert", own);
    await cli.untilPrinted(/before/);
    await server.kill();
    await cli.untilPrinted(/serin: Redis is unreachable: waiting for it\n/);
    await server.start();
    await cli.untilPrinted(/serin: Redis is back\n/);
    const again = openTestRedis({ url: server.url, keys: test.keys });
    await record("after", "alert", again);
    await cli.untilPrinted(/after/);
    expect(cli.stdout).not.to.include("serin:");
    expect(cli.stderr.match(/unreachable/g)).to.have.length(1);
  });

  it("ends silently when its reader closes the pipe", async () => {
    for (let i = 0; i < 3; i++) await record("x".repeat(500));
    const cli = startCliProcess(test.keys, ["events", "--follow"]);
    cli.child.stdout!.destroy();
    for (let i = 0; i < 3; i++) await record("more");
    expect(await cli.ended).to.equal(0);
    expect(cli.stderr).to.equal("");
  });
});
