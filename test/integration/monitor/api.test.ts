import { expect } from "chai";
import { fromRolloutReport } from "../../../lib/rollout/rollout-report.js";
import { openRollout, START } from "../../support/redis/test-rollout.js";
import { startFleet } from "../../support/monitor/fleet.js";
import {
  startLeader,
  startMonitorProgram,
} from "../../support/programs/monitor-program.js";
import {
  openTestRedis,
  type TestRedis,
} from "../../support/redis/test-redis.js";
import { waitFor } from "../../support/wait-for.js";

const ISO_UTC = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

describe("monitor's API over HTTP", () => {
  let test: TestRedis;

  beforeEach(() => {
    test = openTestRedis();
  });

  it("replays no verdict for an event without one, and accepts a new release", async () => {
    const test = openTestRedis();
    const monitor = await startLeader(test);
    const get = (path: string) => fetch(monitor.url + path);
    expect((await get("/api/verdicts/latest")).status).to.equal(400);
    expect((await get("/api/verdicts/1-0")).status).to.equal(404);
    const release = await fetch(`${monitor.url}/api/release`, {
      method: "POST",
    });
    expect(release.status).to.equal(202);
    const [deploy] = await monitor.events("kind=deploy");
    expect(deploy?.data).to.deep.equal({ release: true });
  });

  it("reports the rollout, so that a client reads what is stored", async () => {
    const monitor = await startLeader(test);
    const { ask, store } = openRollout(test);
    expect((await monitor.state()).rollout).to.equal(null);
    await ask(START);
    const { rollout } = await monitor.state();
    expect(rollout).to.deep.include({ id: 1, candidate: "0.3.0", step: 0 });
    expect(rollout?.startedAt).to.match(ISO_UTC);
    expect(rollout && fromRolloutReport(rollout)).to.deep.equal(
      (await store.read()).rollout,
    );
  });

  it("answers the state in the documented shape before any event", async () => {
    const monitor = await startLeader(test);
    const state = await monitor.state();
    const idle = {
      ...{ requests: 0, errors: 0, withoutFeature: 0, windowMs: 2000 },
      ...{ p50Ms: null, p95Ms: null, p99Ms: null },
      intervals: { p50Ms: null, p95Ms: null, p99Ms: null },
    };
    const { lease, ...others } = state;
    expect(others).to.deep.include({
      flag: {
        ...{ name: "feature", value: true },
        ...{ by: null, reason: null, at: null },
      },
      recovery: {
        mode: "auto",
        nextTryAt: null,
        latched: false,
        waitsFor: null,
        attempt: 1,
      },
      sides: { prod: idle, canary: idle },
      proxies: [],
      hosts: [],
      outbox: { pending: 0, held: [] },
      telemetry: { skipped: 0 },
    });
    expect(lease).to.have.all.keys("holder", "epoch", "ageMs");
    expect(lease!.holder).to.match(/^monitor@.+:\d+#[\da-f]{8}$/);
    expect(lease!.epoch).to.equal(1);
    expect(lease!.ageMs).to.be.within(0, 3000);
  });

  it("reports sides, proxies and hosts", async () => {
    const monitor = await startLeader(test);
    const fleet = startFleet(test);
    fleet.latencyMs.prod = 16;
    const state = await waitFor("figures", async () => {
      const seen = await monitor.state();
      return seen.hosts.length === 2 && seen.sides.prod.requests > 20 && seen;
    });
    expect(state.sides.prod.p95Ms).to.be.within(15, 16);
    expect(state.sides.canary.p99Ms).to.be.within(3.8, 4);
    const [proxy] = state.proxies;
    expect(proxy).to.deep.equal({
      id: fleet.proxy,
      split: "3:1",
      canaryOpen: true,
      because: null,
      seenAt: proxy!.seenAt,
    });
    const canary = state.hosts.find(({ target }) => target === "canary");
    expect(canary).to.deep.equal({
      id: fleet.agents.canary,
      target: "canary",
      host: "web2",
      pid: 202,
      up: true,
      version: "1.2.3",
      startedAt: "2026-03-01T12:00:00.000Z",
      cpuRatio: 0.12,
      rssBytes: 61_341_696,
      probeOk: true,
      probeMs: 1.2,
      unhealthyAt: null,
      seenAt: canary!.seenAt,
    });
    for (const { seenAt } of [...state.proxies, ...state.hosts]) {
      expect(seenAt).to.match(ISO_UTC);
      expect(Date.parse(seenAt)).to.be.closeTo(Date.now(), 5000);
    }
  });

  it("reports the author of the last flip and the next retry", async () => {
    const monitor = await startLeader(test, { COOLDOWN_MS: "60000" });
    const fleet = startFleet(test);
    fleet.latencyMs.canary = 900;
    const state = await waitFor("the flip", async () => {
      const seen = await monitor.state();
      return !seen.flag.value && seen;
    });
    expect(state.flag).to.include({ name: "feature", by: "monitor" });
    expect(state.flag.reason).to.match(/^canary p95 /);
    expect(state.flag.at).to.match(ISO_UTC);
    expect(state.recovery).to.include({
      latched: false,
      waitsFor: "the cool-down",
    });
    expect(
      Date.parse(state.recovery.nextTryAt!) - Date.parse(state.flag.at!),
    ).to.be.within(55_000, 61_000);
  });

  it("counts unreadable telemetry and continues", async () => {
    const monitor = await startLeader(test);
    for (const fields of [
      ["a", "b"],
      ["kind", "traffic", "data", "{"],
    ])
      await test.redis.xadd(test.keys.telemetry, "*", ...fields);
    startFleet(test);
    await waitFor("the fleet", async () => {
      return (await monitor.state()).hosts.length === 2;
    });
    expect((await monitor.state()).telemetry.skipped).to.equal(2);
    const reports = () =>
      monitor.log.filter(({ msg }) => msg.includes("was skipped"));
    await waitFor("its report", () => reports().length > 0);
    expect(reports()).to.have.length(1);
  });

  it("lists the ledger newest first, by limit, kind and after", async () => {
    const monitor = await startLeader(test);
    await monitor.postFlag({ value: false, reason: "one" });
    await monitor.postFlag({ value: true, reason: "two" });
    await monitor.postFlag({ value: "toggle", reason: "three" });
    const reasons = async (query?: string) =>
      (await monitor.events(query)).map(({ reason }) => reason);
    const all = await monitor.events();
    expect(all.map(({ reason }) => reason).slice(0, 3)).to.deep.equal([
      ...["three", "two", "one"],
    ]);
    expect(all.at(-1)).to.include({ kind: "start", by: "monitor" });
    for (const event of all) {
      expect(event).to.have.all.keys(
        ...["id", "kind", "by", "reason", "at", "data"],
      );
      expect(event.at).to.match(ISO_UTC);
    }
    expect(await reasons("limit=1")).to.deep.equal(["three"]);
    expect(await reasons("kind=flip&limit=2")).to.deep.equal(["three", "two"]);
    expect(await reasons(`after=${all[2]!.id}`)).to.deep.equal([
      ...["three", "two"],
    ]);
    expect(await reasons("kind=silence")).to.be.empty;
  });

  it("flips the flag on loopback without a token", async () => {
    const monitor = await startLeader(test);
    const answer = await monitor.postFlag({ value: false, reason: "bad" });
    expect(answer.status).to.equal(200);
    expect(await answer.json()).to.deep.equal({
      ...{ name: "feature", value: false, changed: true },
      ...{
        proxies: 0,
        confirmed: false,
        effect: "no proxy reads this Redis: nothing was stopped",
      },
    });
    expect(await test.redis.get(test.keys.flag("feature"))).to.equal("false");
    const again = await monitor.postFlag({ value: false });
    expect(await again.json()).to.include({ changed: false });
  });

  it("requires the token for a flip, once one is set", async () => {
    const ADMIN_TOKEN = "s3cret";
    const env = { ADMIN_TOKEN, HOST: "0.0.0.0" };
    const monitor = await startLeader(test, env);
    for (const headers of [{}, { authorization: "Bearer wrong" }]) {
      const refused = await monitor.postFlag({ value: false }, headers);
      expect(refused.status).to.equal(401);
    }
    expect(await test.redis.exists(test.keys.flag("feature"))).to.equal(0);
    const headers = { authorization: `Bearer ${ADMIN_TOKEN}` };
    const obeyed = await monitor.postFlag({ value: false }, headers);
    expect(obeyed.status).to.equal(200);
    expect(JSON.stringify(monitor.log)).not.to.include(ADMIN_TOKEN);
  });

  it("flips the flag through a standby monitor too", async () => {
    await startLeader(test);
    const standby = await startMonitorProgram(test);
    const answer = await waitFor("readiness", async () => {
      const response = await standby.postFlag({ value: false });
      return response.status === 200 && response;
    });
    expect(await answer.json()).to.include({ changed: true });
    expect(standby.leads()).to.be.false;
  });
});
