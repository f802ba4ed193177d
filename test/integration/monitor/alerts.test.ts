import { hostname } from "node:os";
import { expect } from "chai";
import { writeTelemetry } from "../../../lib/telemetry/telemetry.js";
import { hostSample } from "../../support/monitor/telemetry.js";
import { startFleet, type Fleet } from "../../support/monitor/fleet.js";
import {
  SILENCE_MS,
  startLeader,
} from "../../support/programs/monitor-program.js";
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

  it("report once that an agent is silent, and once that it is back", async () => {
    const source = fleet.agents.canary;
    fleet.silent.add(source);
    const [silence] = await untilReasons(1);
    expect(silence).to.match(
      /^silence: the agent of canary agent@web2:3102 has fallen silent/,
    );
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
});

describe("monitor's alerts about many agents", function () {
  this.timeout(60_000);

  it("are one mail when twenty fall silent, and one when they are back", async () => {
    const test = openTestRedis();
    const agents = Array.from({ length: 20 }, (_, i) => ({
      source: `agent@web-${String(i).padStart(2, "0")}:3101`,
      sample: hostSample("prod", { host: `web-${i}` }),
    }));
    const hear = () =>
      writeTelemetry(
        test.redis,
        test.keys,
        agents.map(({ source, sample }) => ({
          ...{ kind: "host" as const, source, at: Date.now(), data: sample },
        })),
      );
    const monitor = await startLeader(test);
    await hear();
    const subjects = () =>
      monitor.log.flatMap(({ mail }) =>
        mail === undefined ? [] : [(mail as { subject: string }).subject],
      );
    await waitFor("the mail", () => subjects().length > 0, 20_000);
    await hear();
    await waitFor("the second mail", () => subjects().length > 1, 20_000);
    expect(subjects()).to.deep.equal([
      "[serin] silence: 20 agents are silent: web-00 … web-19",
      "[serin] recovery: 20 agents are no longer silent: web-00 … web-19",
    ]);
    expect(await test.events()).to.have.length(41);
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
    expect(text).to.include(
      "\nOpen the page at that moment: https://serin.example/events/",
    );
  });

  it("links to the host's name when the monitor listens on all addresses", async () => {
    const { text, monitor } = await mailOf({
      HOST: "0.0.0.0",
      ADMIN_TOKEN: "s3cret-t0ken",
    });
    const { port } = new URL(monitor.url);
    expect(text).to.include(
      `\nOpen the page at that moment: http://${hostname()}:${port}/events/`,
    );
  });
});
