import { expect } from "chai";
import { readConfig } from "../../../apps/monitor/config.js";
import { VerdictKeeper } from "../../../apps/monitor/control/verdict-keeper.js";
import { FENCE } from "../../support/monitor/control.js";
import { trafficWindow } from "../../support/monitor/telemetry.js";
import { startVerdict } from "../../support/monitor/verdict-feed.js";
import {
  healthy,
  slowerBy,
  type Respond,
} from "../../support/monitor/verdict-traffic.js";

describe("controller's stored verdict", () => {
  it("survives a take-over, with no request lost or counted twice", async () => {
    const { control, verdicts, feed } = await startVerdict();
    const { redis, keys, config } = control.context;
    const next = new VerdictKeeper({ redis, keys, config });
    feed.hear(20, healthy, [verdicts, next]);
    control.pass(2000);
    const before = await verdicts.look(
      { value: true, flip: null },
      { fence: (await redis.get(keys.lease))!, now: control.now() },
    );
    feed.hear(4, healthy, [next]);
    const fence = '{"holder":"b","epoch":4}';
    await redis.set(keys.lease, fence);
    const after = await next.look(
      { value: true, flip: null },
      { fence, now: control.now() + 2000 },
    );
    expect(after?.canary.requests).to.equal(before!.canary.requests + 4 * 12);
    expect(await redis.hget(keys.verdict("feature"), "fence")).to.equal(fence);
  });

  it("survives a regained lease, including requests that were not stored yet", async () => {
    const { control, verdicts, feed } = await startVerdict();
    const { redis, keys } = control.context;
    const look = async (fence: string) => {
      await redis.set(keys.lease, fence);
      const at = { fence, now: control.now() };
      return await verdicts.look({ value: true, flip: null }, at);
    };
    const readStored = async () =>
      await redis.hget(keys.verdict("feature"), "state");
    control.pass(2000);
    await look(FENCE);
    const stored = await readStored();
    feed.hear(1, healthy, [verdicts]);
    const before = await look(FENCE);
    expect(await readStored()).to.equal(stored);
    feed.hear(1, healthy, [verdicts]);
    const after = await look('{"holder":"a","epoch":4}');
    expect(after?.canary.requests).to.equal(before!.canary.requests + 12);
  });

  it("leads a new leader to the same figures at any moment", async () => {
    const { control, verdicts, feed } = await startVerdict();
    const { redis, keys, config } = control.context;
    const flag = { value: true, flip: null };
    for (const windows of [1, 37, 61, 90, 400, 601, 23]) {
      feed.hear(windows, slowerBy(1.1), [verdicts]);
      const at = { fence: FENCE, now: control.now() };
      const before = await verdicts.look(flag, at);
      const next = new VerdictKeeper({ redis, keys, config });
      expect(await next.look(flag, at)).to.deep.equal(before);
      // What the next one has stored leads to them as well.
      const third = new VerdictKeeper({ redis, keys, config });
      expect(await third.look(flag, at)).to.deep.equal(before);
    }
  });

  it("keeps what canary and prod of one version have taught of their hosts", async () => {
    const { control, verdicts, feed } = await startVerdict();
    const { redis, keys, config } = control.context;
    const look = (keeper: VerdictKeeper) =>
      keeper.look(
        { value: true, flip: null },
        { fence: FENCE, now: control.now() },
      );
    feed.hearHost({ version: "1" }, [verdicts]);
    feed.hear(180, slowerBy(1.2), [verdicts]);
    await look(verdicts);
    // The versions of both sides are not known.
    expect(verdicts.hostDifference).to.be.undefined;
    feed.hearHost({ target: "prod", version: "1" }, [verdicts]);
    feed.hear(140, slowerBy(1.2), [verdicts]);
    await look(verdicts);
    expect(verdicts.hostDifference).to.be.undefined;
    const next = new VerdictKeeper({ redis, keys, config });
    await look(next);
    feed.hear(40, slowerBy(1.2), [verdicts, next]);
    const before = await look(verdicts);
    const { ratio, factor } = verdicts.hostDifference!;
    expect(ratio).to.be.closeTo(1.2, 0.04);
    expect(factor).to.equal(ratio);
    expect(before!.canary.requests).to.be.below(40 * 12);
    expect(await look(next)).to.deep.equal(before);
    expect(next.hostDifference).to.deep.equal(verdicts.hostDifference);
    // Another version is judged by it.
    feed.hearHost({ version: "2" }, [next]);
    feed.hear(200, slowerBy(1.2), [next]);
    const verdict = await look(next);
    expect(verdict!.canary.requests).to.equal(200 * 12);
    expect(verdict!.outcome).to.equal("healthy");
    const { test } = next.toRecord()!;
    expect(test.rules.hostFactor).to.equal(factor);
  });

  it("keeps what the comparison of prod's hosts has found, for the next leader", async () => {
    const { control, verdicts, feed } = await startVerdict();
    const { redis, keys, config } = control.context;
    const look = async (keeper: VerdictKeeper) =>
      await keeper.look(
        { value: true, flip: null },
        { fence: FENCE, now: control.now() },
      );
    feed.comparedHost = "10.0.0.11:3001";
    const readPlacebo = () => verdicts.readPlacebo(control.now())!;
    const hearUntil = async (respond: Respond, isThere: () => unknown) => {
      for (let i = 0; i < 200 && !(await isThere()); i++) {
        feed.hear(1, respond, [verdicts]);
        await look(verdicts);
      }
    };
    await hearUntil(
      slowerBy(3),
      () => verdicts.readPlacebo(control.now())?.comparisons,
    );
    const found = readPlacebo();
    const readStored = async () =>
      await redis.hget(keys.verdict("feature"), "state");
    const before = await readStored();
    // The next epoch stores it, with the test as it was before.
    await hearUntil(healthy, async () => (await readStored()) !== before);
    expect(JSON.parse((await readStored())!))
      .to.have.property("placebo")
      .with.length(1);
    const next = new VerdictKeeper({ redis, keys, config });
    await look(next);
    const { comparisons, hosts } = next.readPlacebo(control.now())!;
    expect({ comparisons, hosts }).to.deep.equal({
      comparisons: found.comparisons,
      hosts: found.hosts,
    });
  });

  it("is the same if decks of prod's hosts are malformed", async () => {
    const { control, verdicts, feed } = await startVerdict();
    const data = trafficWindow("prod", [], {
      ...{ split: "3:1", dealt: 0, routes: {} },
      hostDecks: { hosts: 2, compared: "a:1", decks: [[1]], deckRoutes: [] },
    });
    const broken = { ...data, hostDecks: "none" };
    const canary = trafficWindow("canary", [], {
      ...{ split: "3:1", dealt: 0, routes: {}, decks: [], deckRoutes: [] },
    });
    for (const prod of [data, broken]) {
      feed.tick();
      feed.hearRaw({ kind: "traffic", data: prod }, [verdicts]);
      feed.hearRaw({ kind: "traffic", data: canary }, [verdicts]);
    }
    feed.hear(10, healthy, [verdicts]);
    await control.judge();
    expect(verdicts.verdict!.outcome).to.equal("insufficient");
    expect(verdicts.verdict!.canary.requests).to.be.above(0);
    expect(verdicts.readPlacebo(control.now())).to.equal(undefined);
  });

  it("is not written once another monitor holds the lease", async () => {
    const { control, verdicts, feed } = await startVerdict();
    const { redis, keys } = control.context;
    const stored = await redis.hget(keys.verdict("feature"), "state");
    await redis.set(keys.lease, "another’s");
    feed.hear(70, healthy, [verdicts]);
    await control.judge();
    expect(await redis.hget(keys.verdict("feature"), "state")).to.equal(stored);
    expect(control.stepDowns()).to.deep.equal([FENCE]);
  });

  describe("after a restart", () => {
    async function restart(env: Record<string, string> = {}) {
      const { control, verdicts, feed } = await startVerdict();
      feed.hearHost({ version: "1" }, [verdicts]);
      feed.hear(40, healthy, [verdicts]);
      control.pass(2000);
      await control.judge();
      const { redis, keys } = control.context;
      const config = readConfig({ VERDICT_WARM_UP: "0s", ...env });
      const next = new VerdictKeeper({ redis, keys, config });
      const fence = (await redis.get(keys.lease))!;
      const look = (flip: string | null = null) =>
        next.look({ value: true, flip }, { fence, now: control.now() });
      return { control, feed, next, look, before: verdicts.verdict! };
    }

    it("keeps the baseline, so that a new test compares after its warm-up", async () => {
      const { feed, next, look } = await restart();
      await look();
      feed.hearHost({ version: "2" }, [next]);
      feed.hear(6, healthy, [next]);
      const verdict = await look();
      expect(verdict?.canary.requests).to.equal(6 * 12);
      expect(verdict?.routes.map(({ because }) => because)).to.deep.equal([
        null,
      ]);
    });

    it("keeps the versions, so that the first sample is not a new one", async () => {
      const { feed, next, look, before } = await restart();
      feed.hearHost({ version: "1" }, [next]);
      expect((await look())?.canary).to.deep.equal(before.canary);
      feed.hearHost({ version: "2" }, [next]);
      expect((await look())?.canary.requests).to.equal(0);
    });

    it("keeps the flip that resumed the canary", async () => {
      const { control, feed, next, look, before } = await restart();
      expect((await look())?.canary).to.deep.equal(before.canary);
      expect((await look("7-0"))?.canary.requests).to.equal(0);
      feed.hear(20, healthy, [next]);
      control.pass(2000);
      const verdict = await look("7-0");
      expect(verdict?.canary.requests).to.be.above(0);
      const { redis, keys, config } = control.context;
      const third = new VerdictKeeper({ redis, keys, config });
      const at = { fence: (await redis.get(keys.lease))!, now: control.now() };
      const again = await third.look({ value: true, flip: "7-0" }, at);
      expect(again?.canary).to.deep.equal(verdict?.canary);
    });

    it("is judged by the present alpha", async () => {
      const { look, before } = await restart({ VERDICT_ALPHA: "0.0001" });
      const verdict = await look();
      expect(verdict?.canary).to.deep.equal(before.canary);
      expect(verdict?.evidenceToStop).to.be.closeTo(Math.log(10_000), 1e-9);
    });

    it("is dropped when another Serin release wrote it in another form", async () => {
      const { control, feed, next, look } = await restart();
      const { redis, keys } = control.context;
      const key = keys.verdict("feature");
      const state = JSON.parse((await redis.hget(key, "state"))!) as object;
      const old = { ...state, test: { startedAt: 1, routes: [], splits: [] } };
      await redis.hset(key, "state", JSON.stringify(old));
      expect((await look())?.outcome).to.be.null;
      feed.hear(40, slowerBy(2), [next]);
      expect((await look())?.outcome).to.equal("worse");
    });
  });
});
