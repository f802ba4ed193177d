import { hostname } from "node:os";
import { expect } from "chai";
import { startFleet, type Fleet } from "../../support/monitor/fleet.js";
import {
  SILENCE_MS,
  startLeader,
} from "../../support/programs/monitor-program.js";
import { goneSample } from "../../support/monitor/telemetry.js";
import {
  openTestRedis,
  type TestRedis,
} from "../../support/redis/test-redis.js";
import { waitFor } from "../../support/wait-for.js";

describe("monitor's alerts", function () {
  this.timeout(60_000);

  let test: TestRedis;
  let fleet: Fleet;
  let monitor: Awaited<ReturnType<typeof startLeader>>;

  const reasons = async () =>
    (await test.events())
      .filter(({ kind }) => kind !== "start" && kind !== "stop")
      .map(({ kind, reason }) => `${kind}: ${reason}`);
  const untilReasons = async (count: number) => {
    await waitFor(
      `${count} alerts`,
      async () => (await reasons()).length >= count,
      10_000,
    );
    return await reasons();
  };
  /** Longer than all thresholds. */
  const letTimePass = async () => {
    const since = Date.now();
    await waitFor("some time", () => Date.now() - since > SILENCE_MS + 1000);
  };

  beforeEach(async () => {
    test = openTestRedis();
    fleet = startFleet(test);
    monitor = await startLeader(test);
    await waitFor("all to be heard", async () => {
      const { hosts, proxies } = await monitor.state();
      return hosts.length === 2 && proxies.length === 1;
    });
  });

  it("are none while everything is healthy", async () => {
    await letTimePass();
    expect(await reasons()).to.be.empty;
    expect(monitor.mails()).to.equal(0);
  });

  for (const [who, sentence] of [
    ["proxy", /^silence: the proxy proxy@edge1:8080 has fallen silent; it was/],
    [
      "agent",
      /^silence: the agent of canary agent@web2:3102 has fallen silent/,
    ],
  ] as const) {
    it(`report once that the ${who} is silent, and once that it is back`, async () => {
      const source = who === "proxy" ? fleet.proxy : fleet.agents.canary;
      fleet.silent.add(source);
      const [silence] = await untilReasons(1);
      expect(silence).to.match(sentence);
      await letTimePass();
      expect(await reasons()).to.have.length(1);
      fleet.silent.delete(source);
      expect((await untilReasons(2))[1]).to.equal(
        `recovery: ${source} is no longer silent`,
      );
      await letTimePass();
      expect(await reasons()).to.have.length(2);
      await waitFor("the mails", () => monitor.mails() === 2);
    });
  }

  it("report an app that is gone, and its return", async () => {
    const running = fleet.samples.prod;
    fleet.samples.prod = { ...goneSample("prod"), host: "web1" };
    expect(await untilReasons(1)).to.deep.equal([
      "alert: the prod app on web1 is gone",
    ]);
    const { hosts } = await monitor.state();
    expect(hosts.find(({ target }) => target === "prod")).to.include({
      host: "web1",
      pid: null,
      up: false,
      probeOk: false,
    });
    fleet.samples.prod = { ...running, pid: 102 };
    expect((await untilReasons(2))[1]).to.equal(
      `recovery: the app of ${fleet.agents.prod} is no longer gone`,
    );
  });

  it("report CPU above the threshold for the whole window, without a flip", async () => {
    fleet.samples.canary = { ...fleet.samples.canary, cpuRatio: 0.99 };
    expect((await untilReasons(1))[0]).to.equal(
      "alert: the canary app on web2 has used more than 90 % of a core for 1 s, 99 % now",
    );
    await letTimePass();
    expect(await reasons()).to.have.length(1);
    expect(await test.redis.exists(test.keys.flag("feature"))).to.equal(0);
  });

  it("are not raised by an orderly stop", async () => {
    for (const source of [fleet.proxy, fleet.agents.canary]) {
      fleet.silent.add(source);
      await test.ledger.record({
        kind: "stop",
        by: source.split("@")[0]!,
        reason: "stopped",
        data: { source },
      });
    }
    await letTimePass();
    expect(await reasons()).to.be.empty;
    const { hosts, proxies } = await monitor.state();
    expect(proxies).to.be.empty;
    expect(hosts.map(({ id }) => id)).to.deep.equal([fleet.agents.prod]);
  });

  it("are neither repeated nor cleared by the next leader while it learns", async () => {
    fleet.silent.add(fleet.agents.canary);
    await untilReasons(1);
    await monitor.stop();
    const next = await startLeader(test);
    await letTimePass();
    expect(await reasons()).to.have.length(1);
    expect(next.mails()).to.be.at.most(1);
    fleet.silent.delete(fleet.agents.canary);
    expect((await untilReasons(2))[1]).to.match(
      /^recovery: .+ is no longer silent$/,
    );
  });
});

describe("a monitor's mail", () => {
  async function mailOf(env: Record<string, string>) {
    const monitor = await startLeader(openTestRedis(), env);
    const { ADMIN_TOKEN: token = "" } = env;
    await monitor.postFlag(
      { value: false, reason: "looking into it" },
      { authorization: `Bearer ${token}` },
    );
    const sent = await waitFor("the mail", () =>
      monitor.log.find(({ mail }) => mail !== undefined),
    );
    return { text: (sent.mail as { text: string }).text, monitor };
  }

  it("links to DASHBOARD_URL", async () => {
    const { text } = await mailOf({ DASHBOARD_URL: "https://serin.example" });
    expect(text).to.include("\nDashboard: https://serin.example\n");
  });

  it("links to the host's name when the monitor listens on all addresses", async () => {
    const { text, monitor } = await mailOf({
      HOST: "0.0.0.0",
      ADMIN_TOKEN: "s3cret-t0ken",
    });
    const { port } = new URL(monitor.url);
    expect(text).to.include(`\nDashboard: http://${hostname()}:${port}\n`);
    expect(text).to.include(` http://${hostname()}:${port}/api/flags/feature `);
  });
});
