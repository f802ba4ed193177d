import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { expect } from "chai";
import { startPrivateRedis } from "../../support/redis/private-redis.js";
import { onCleanup } from "../../support/cleanup.js";
import {
  spawnLeader,
  spawnMonitorProgram,
} from "../../support/programs/monitor-program.js";
import { spawnProgram } from "../../support/programs/program-process.js";
import { startProgram } from "../../support/programs/program.js";
import { runningTime } from "../../support/running-time.js";
import { openTestRedis } from "../../support/redis/test-redis.js";
import { waitFor } from "../../support/wait-for.js";

describe("monitor program", () => {
  it("fails to start with bad settings, and lists them all", async () => {
    const monitor = spawnProgram("monitor", {
      REDIS_URL: "http://user:hunter2@127.0.0.1",
      LATENCY_QUANTILE: "95",
      RECOVERY: "perhaps",
      ALERT_TRANSPORT: "smtp",
      ALERT_TO: "ops@example.com",
      HOST: "0.0.0.0",
    });
    expect(await monitor.exited).to.equal(1);
    expect(monitor.log).to.be.empty;
    expect(monitor.stderr()).to.equal(
      [
        "monitor does not start: bad settings:",
        "  - REDIS_URL is malformed (value not shown): give redis://[user:password@]host:port[/db] or rediss://…",
        '  - LATENCY_QUANTILE is "95": give a number from 0.01 to 1',
        '  - RECOVERY is "perhaps": give one of auto, manual',
        "  - ALERT_FROM is not set: give a mail address such as serin@example.com",
        "  - SMTP_URL is not set: give smtp://[user:password@]host[:port] or smtps://…",
        '  - HOST is "0.0.0.0" but ADMIN_TOKEN is not set: anyone who can reach it could flip the flag. ' +
          "Set ADMIN_TOKEN, or listen on loopback (127.0.0.1, ::1 or localhost)\n",
      ].join("\n"),
    );
  });

  it("fails to start on a used port, and leaves nothing behind", async () => {
    const holder = createServer().listen(0, "127.0.0.1");
    await once(holder, "listening");
    onCleanup(() => void holder.close());
    const { port } = holder.address() as AddressInfo;
    const monitor = spawnProgram("monitor", { PORT: String(port) });
    expect(await monitor.exited).to.equal(1);
    const failure = monitor.log.find(({ level }) => level === "error");
    expect(failure?.msg).to.equal("monitor could not start");
    expect(JSON.stringify(failure?.err)).to.include("EADDRINUSE");
  });

  it("listens on the IPv6 loopback, and shows it as in a URL", async function () {
    const test = openTestRedis();
    const env = { KEY_PREFIX: test.keys.prefix, HOST: "::1" };
    await startProgram("monitor", env).catch((err: unknown) => {
      const { code } = err as NodeJS.ErrnoException;
      if (code === "EADDRNOTAVAIL" || code === "EAFNOSUPPORT") this.skip();
      throw err;
    });
    const event = await waitFor("its start", async () =>
      (await test.events()).at(0),
    );
    expect(event.reason).to.match(/^monitor started: http:\/\/\[::1\]:\d+$/);
  });

  it("stops on SIGTERM at once, with status 0, released lease and stop event", async () => {
    const test = openTestRedis();
    const monitor = await spawnLeader(test);
    // As a browser with an idle connection.
    await monitor.state();
    const began = runningTime();
    monitor.child.kill("SIGTERM");
    expect(await monitor.exited).to.equal(0);
    expect(runningTime() - began).to.be.below(2500);
    expect(await test.redis.exists(test.keys.lease)).to.equal(0);
    const events = await test.events();
    expect(events.map(({ kind, by }) => `${kind} by ${by}`)).to.deep.equal([
      "start by monitor",
      "stop by monitor",
    ]);
    expect(events[1]?.data.source).to.equal(events[0]?.data.source);
    expect(monitor.stderr()).to.equal("");
    const complaints = monitor.log.filter(({ level }) => level !== "info");
    expect(complaints).to.deep.equal([]);
  });

  it("stops in order right after its start", async () => {
    const monitor = await spawnMonitorProgram(openTestRedis());
    monitor.child.kill("SIGTERM");
    expect(await monitor.exited).to.equal(0);
  });

  it("stops on SIGTERM without answers of Redis, and at once on the second", async () => {
    const server = await startPrivateRedis();
    onCleanup(server.stop);
    const test = openTestRedis({ url: server.url });
    const first = await spawnLeader(test, { REDIS_URL: server.url });
    const second = await spawnMonitorProgram(test, { REDIS_URL: server.url });
    process.kill(server.pid, "SIGSTOP");
    const began = runningTime();
    first.child.kill("SIGTERM");
    second.child.kill("SIGTERM");
    await waitFor("the second to be stopping", () =>
      second.log.some(({ msg }) => msg === "stopping"),
    );
    second.child.kill("SIGTERM");
    expect(await second.exited).to.equal(128 + 15);
    expect(await first.exited).to.equal(0);
    expect(runningTime() - began).to.be.below(15_000);
  });
});
