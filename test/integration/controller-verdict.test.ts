import { expect } from "chai";
import { readConfig } from "../../apps/monitor/config.js";
import {
  replayVerdict,
  VerdictKeeper,
} from "../../apps/monitor/verdict-keeper.js";
import type { LedgerEvent } from "../../lib/ledger.js";
import { parseTelemetry, type HostSample } from "../../lib/telemetry.js";
import { FENCE, startControl, type Control } from "../support/control.js";
import { createSeededRandom } from "../support/seeded-random.js";
import { hostSample, times, trafficWindow } from "../support/telemetry.js";
import {
  healthy,
  routeWindow,
  slowerBy,
  type Respond,
} from "../support/verdict-traffic.js";

/** Tells a keeper of half-second windows, 36 of prod's requests and 12 of the canary's each. */
class Feed {
  readonly #control: Control;
  readonly #random = createSeededRandom(77);
  #sequence = 0;
  #at = 0;

  constructor(control: Control) {
    this.#control = control;
  }

  /** The proxy's. */
  split = "3:1";
  route = "GET /get";

  hear(windows: number, respond: Respond, keepers: VerdictKeeper[]): void {
    for (let i = 0; i < windows; i++) {
      this.#control.pass(500);
      this.tick();
      for (const [side, dealt] of [
        ["prod", 36],
        ["canary", 12],
      ] as const) {
        const answers = Array.from({ length: dealt }, () =>
          respond(side, this.route, this.#random),
        );
        const routes = { [this.route]: routeWindow(answers) };
        const data = trafficWindow(side, [], {
          split: this.split,
          dealt,
          routes,
        });
        this.hearRaw({ kind: "traffic", data }, keepers);
      }
    }
  }

  hearHost(fields: Partial<HostSample>, keepers: VerdictKeeper[]): void {
    this.tick();
    const data = hostSample("canary", fields);
    this.hearRaw({ kind: "host", data }, keepers);
  }

  /** What is told from here on bears this moment's time, or, as Redis numbers its entries, the last one's. */
  tick(): void {
    this.#at = Math.max(Math.round(this.#control.now()), this.#at);
  }

  /** As the stream reader hears it. */
  hearRaw(
    { kind, data }: { kind: string; data: unknown },
    keepers: VerdictKeeper[],
  ): void {
    const id = `${this.#at}-${this.#sequence++}`;
    const parsed = parseTelemetry(
      Object.entries({
        kind,
        source: "p",
        at: String(this.#at),
        data: JSON.stringify(data),
      }).flat(),
    );
    for (const keeper of keepers)
      if ("problem" in parsed) keeper.onSkipped(parsed, this.#at, id);
      else keeper.onTelemetry(parsed, this.#at, id);
  }
}

async function start(env: Record<string, string> = {}) {
  const control = await startControl(env);
  const { verdicts } = control.context;
  const feed = new Feed(control);
  await control.judge();
  feed.hear(10, healthy, [verdicts]);
  await control.judge();
  return { control, verdicts, feed };
}

const RELEASE: LedgerEvent = {
  id: "1-0",
  kind: "deploy",
  by: "operator",
  reason: "",
  at: "",
  data: { release: true },
};

describe("controller, by verdict", () => {
  it("stops a worse canary with figures, and the ledger replays to the same number", async () => {
    const { control, verdicts, feed } = await start();
    feed.hear(40, slowerBy(2), [verdicts]);
    await control.judge();
    expect(await control.flag()).to.equal("false");
    const [breach, flip] = (await control.events()).slice(-2);
    expect(breach?.kind).to.equal("breach");
    expect(flip?.data).to.include({ rule: "verdict", side: "canary" });
    expect(flip?.reason).to.match(/× slower than prod on GET \/get after/);
    const replay = replayVerdict(flip!);
    expect(replay?.recorded).to.be.above(4.6);
    expect(replay?.verdict.evidence).to.equal(replay?.recorded);
    expect(await control.outbox()).to.have.length(1);
  });

  it("replays why a route was not compared", async () => {
    const { control, verdicts, feed } = await start();
    feed.route = "GET /new";
    feed.hear(2, healthy, [verdicts]);
    feed.route = "GET /get";
    feed.hear(40, slowerBy(2), [verdicts]);
    await control.judge();
    const [flip] = (await control.events()).slice(-1);
    const because = replayVerdict(flip!)?.verdict.routes.find(
      ({ route }) => route === "GET /new",
    )?.because;
    expect(because).to.equal("prod has answered 72 requests, 200 are needed");
  });

  it("only tells, once, with VERDICT=observe", async () => {
    const { control, verdicts, feed } = await start({ VERDICT: "observe" });
    feed.hear(40, slowerBy(2), [verdicts]);
    await control.judge();
    await control.judge();
    expect(await control.flag()).to.be.null;
    expect(await control.kinds()).to.deep.equal(["breach by monitor"]);
  });

  it("has none with VERDICT=off", async () => {
    const { control, verdicts, feed } = await start({ VERDICT: "off" });
    feed.hear(40, slowerBy(2), [verdicts]);
    await control.judge();
    expect(verdicts.verdict).to.be.undefined;
    expect(await control.events()).to.be.empty;
  });

  it("survives a take-over: the next leader goes on with the same counts, none lost or counted twice", async () => {
    const { control, verdicts, feed } = await start();
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

  it("survives a lost lease that is won back: what was not stored yet is counted all the same", async () => {
    const { control, verdicts, feed } = await start();
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

  it("gives no verdict while Redis’s clock, set back, stands still for its entries, and stores the test all the same", async () => {
    const { control, verdicts, feed } = await start();
    const { redis, keys } = control.context;
    const readStored = async () =>
      await redis.hget(keys.verdict("feature"), "state");
    control.pass(-3_600_000);
    feed.hear(20, slowerBy(3), [verdicts]);
    const before = await readStored();
    await control.judge();
    expect(verdicts.verdict?.outcome).to.be.null;
    expect(verdicts.verdict?.because).to.match(/clock was set back/);
    expect(await readStored()).not.to.equal(before);
    expect(await control.flag()).to.be.null;
  });

  for (const [what, fields] of [
    ["a count below 0", { dealt: -1 }],
    ["a latency in no bucket", { latency: [[321, 1]] }],
    ["a route’s count that is none", { routes: { "GET /get": {} } }],
  ] as const)
    it(`gives no verdict for ten seconds, and says why, after a window with ${what}, and pairs the next ones right`, async () => {
      const { control, verdicts, feed } = await start();
      feed.hear(40, healthy, [verdicts]);
      await control.judge();
      const before = verdicts.verdict!;
      control.pass(500);
      feed.tick();
      const good = { split: "3:1", dealt: 12, routes: {} };
      const prod = trafficWindow("prod", [], good);
      const bad = { ...trafficWindow("canary", [], good), ...fields };
      feed.hearRaw({ kind: "traffic", data: prod }, [verdicts]);
      feed.hearRaw({ kind: "traffic", data: bad }, [verdicts]);
      await control.judge();
      expect(verdicts.verdict?.outcome).to.be.null;
      expect(verdicts.verdict?.because).to.match(
        /^not counted: a window that cannot be read: .* at data\./,
      );
      feed.hear(21, healthy, [verdicts]);
      await control.judge();
      expect(verdicts.verdict?.outcome).to.equal("healthy");
      const { requests } = verdicts.verdict!.canary;
      expect(requests).to.equal(before.canary.requests + 21 * 12);
    });

  it("does not mind a host sample that cannot be read", async () => {
    const { control, verdicts, feed } = await start();
    feed.hear(40, healthy, [verdicts]);
    feed.hearRaw({ kind: "host", data: {} }, [verdicts]);
    await control.judge();
    expect(verdicts.verdict?.outcome).to.equal("healthy");
  });

  describe("after a restart", () => {
    async function restart(env: Record<string, string> = {}) {
      const { control, verdicts, feed } = await start();
      feed.hearHost({ version: "1" }, [verdicts]);
      feed.hear(40, healthy, [verdicts]);
      control.pass(2000);
      await control.judge();
      const { redis, keys } = control.context;
      const config = readConfig(env);
      const next = new VerdictKeeper({ redis, keys, config });
      const fence = (await redis.get(keys.lease))!;
      const look = (flip: string | null = null) =>
        next.look({ value: true, flip }, { fence, now: control.now() });
      return { control, feed, next, look, before: verdicts.verdict! };
    }

    it("knows the baseline, so that a new test compares from its warm-up’s end on", async () => {
      const { feed, next, look } = await restart();
      await look();
      feed.hearHost({ version: "2" }, [next]);
      feed.hear(6, healthy, [next]);
      const verdict = await look();
      expect(verdict?.canary.requests).to.equal(12);
      expect(verdict?.outcome).to.equal("insufficient");
    });

    it("knows the versions, and does not take the first sample for a new one", async () => {
      const { feed, next, look, before } = await restart();
      feed.hearHost({ version: "1" }, [next]);
      expect((await look())?.canary).to.deep.equal(before.canary);
      feed.hearHost({ version: "2" }, [next]);
      expect((await look())?.canary.requests).to.equal(0);
    });

    it("knows the flip that let the canary in", async () => {
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

    it("judges by the alpha that is set now", async () => {
      const { look, before } = await restart({ VERDICT_ALPHA: "0.0001" });
      const verdict = await look();
      expect(verdict?.canary).to.deep.equal(before.canary);
      expect(verdict?.evidenceToStop).to.be.closeTo(Math.log(10_000), 1e-9);
    });

    it("starts afresh where what is stored is another release’s form", async () => {
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

  it("forgets what it knows of prod at prod’s new version", async () => {
    const { control, verdicts, feed } = await start();
    feed.hearHost({ target: "prod", version: "1" }, [verdicts]);
    feed.hear(40, healthy, [verdicts]);
    feed.hearHost({ target: "prod", version: "2" }, [verdicts]);
    feed.hear(5, healthy, [verdicts]);
    await control.judge();
    expect(verdicts.verdict?.because).to.match(/^no route can be compared yet/);
  });

  it("does not count what came before the release", async () => {
    const { control, verdicts, feed } = await start();
    feed.hear(40, healthy, [verdicts]);
    verdicts.onEvent(RELEASE, control.now());
    control.pass(1000);
    await control.judge();
    expect(verdicts.verdict?.because).to.match(
      /^the canary has had no request/,
    );
  });

  it("leaves the threshold to stop a slow canary with VERDICT=off", async () => {
    const { control } = await start({ VERDICT: "off" });
    control.hearTraffic("canary", times(20, 900));
    await control.judge();
    expect(await control.flag()).to.equal("false");
    const [flip] = (await control.events()).slice(-1);
    expect(flip?.data).to.include({ rule: "latency", side: "canary" });
  });

  it("stores nothing once the lease is another’s", async () => {
    const { control, verdicts, feed } = await start();
    const { redis, keys } = control.context;
    const stored = await redis.hget(keys.verdict("feature"), "state");
    await redis.set(keys.lease, "another’s");
    control.pass(2000);
    feed.hear(4, healthy, [verdicts]);
    await control.judge();
    expect(await redis.hget(keys.verdict("feature"), "state")).to.equal(stored);
    expect(control.stepDowns()).to.deep.equal([FENCE]);
  });

  it("starts afresh at a new version and at POST /api/release, at half the alpha when let in again", async () => {
    const { control, verdicts, feed } = await start();
    feed.hear(20, healthy, [verdicts]);
    feed.hearHost({ version: "1" }, [verdicts]);
    await control.judge();
    expect(verdicts.verdict?.canary.requests).to.be.above(100);
    feed.hearHost({ version: "2" }, [verdicts]);
    await control.judge();
    expect(verdicts.verdict?.canary.requests).to.equal(0);
    feed.hear(20, healthy, [verdicts]);
    await control.judge();
    control.pass(1000);
    verdicts.onEvent(RELEASE, control.now());
    await control.judge();
    expect(verdicts.verdict?.canary.requests).to.equal(0);
    expect(verdicts.verdict?.evidenceToStop).to.be.closeTo(4.605, 0.001);
    feed.hear(2, healthy, [verdicts]);
    await control.judge();
    for (const value of [false, true])
      await control.ledger.flip("feature", {
        value,
        by: "operator",
        reason: "again",
        data: {},
      });
    await control.judge();
    expect(verdicts.verdict?.evidenceToStop).to.be.closeTo(5.298, 0.001);
  });

  describe("counts tries of the same version", () => {
    const flip = async (control: Control, value: boolean) => {
      await control.ledger.flip("feature", {
        value,
        by: "operator",
        reason: "r",
        data: {},
      });
      await control.judge();
    };
    const toStop = (tries: number) => Math.log(100 * 2 ** tries);

    it("a version that came while the flag was off is not tried before it is let in", async () => {
      const { control, verdicts, feed } = await start();
      feed.hearHost({ version: "1" }, [verdicts]);
      await flip(control, false);
      feed.hearHost({ version: "2" }, [verdicts]);
      await control.judge();
      await flip(control, true);
      expect(verdicts.verdict?.evidenceToStop).to.be.closeTo(toStop(0), 1e-9);
      feed.hear(4, healthy, [verdicts]);
      await control.judge();
      await flip(control, false);
      await flip(control, true);
      expect(verdicts.verdict?.evidenceToStop).to.be.closeTo(toStop(1), 1e-9);
      feed.hear(4, healthy, [verdicts]);
      await control.judge();
      await flip(control, false);
      await flip(control, true);
      expect(verdicts.verdict?.evidenceToStop).to.be.closeTo(toStop(2), 1e-9);
    });

    it("one that a split dealt nothing for a while is tried once more when it deals again", async () => {
      const { control, verdicts, feed } = await start();
      feed.hear(40, healthy, [verdicts]);
      await control.judge();
      feed.split = "1:0";
      feed.hear(30, healthy, [verdicts]);
      await control.judge();
      expect(verdicts.verdict?.because).to.match(/^the split deals nothing/);
      feed.split = "3:1";
      feed.hear(1, healthy, [verdicts]);
      await control.judge();
      expect(verdicts.verdict?.because).to.match(/^warming up: 12 /);
      expect(verdicts.verdict?.evidenceToStop).to.be.closeTo(toStop(1), 1e-9);
    });

    for (const tolerance of ["20%+5ms", "10%+1ms"])
      it(`another tolerance is another try: ${tolerance}`, async () => {
        const { control, verdicts, feed } = await start();
        feed.hear(40, healthy, [verdicts]);
        control.pass(2000);
        await control.judge();
        const { redis, keys } = control.context;
        const config = readConfig({ VERDICT_TOLERANCE: tolerance });
        const next = new VerdictKeeper({ redis, keys, config });
        const verdict = await next.look(
          { value: true, flip: null },
          { fence: (await redis.get(keys.lease))!, now: control.now() },
        );
        expect(verdict?.canary.requests).to.equal(0);
        expect(verdict?.evidenceToStop).to.be.closeTo(toStop(1), 1e-9);
      });
  });
});
