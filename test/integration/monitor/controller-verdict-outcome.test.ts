import { expect } from "chai";
import { replayVerdict } from "../../../apps/monitor/control/verdict-keeper.js";
import { times, trafficWindow } from "../../support/monitor/telemetry.js";
import { startVerdict } from "../../support/monitor/verdict-feed.js";
import { healthy, slowerBy } from "../../support/monitor/verdict-traffic.js";

describe("controller, by verdict", () => {
  it("stops a worse canary with figures, and the ledger replays to the same number", async () => {
    const { control, verdicts, feed } = await startVerdict();
    feed.hear(40, slowerBy(2), [verdicts]);
    await control.judge();
    expect(await control.flag()).to.equal("false");
    const [breach, flip] = (await control.events()).slice(-2);
    expect(breach?.kind).to.equal("breach");
    expect(flip?.data).to.include({
      rule: "verdict",
      side: "canary",
      nextTryAt: null,
    });
    expect(flip?.reason).to.match(/× slower than prod on GET \/get after/);
    const replay = replayVerdict(flip!);
    expect(replay?.recorded).to.be.above(4.6);
    expect(replay?.verdict.evidence).to.equal(replay?.recorded);
    expect(await control.outbox()).to.have.length(1);
  });

  it("replays why a route was not compared", async () => {
    const { control, verdicts, feed } = await startVerdict();
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

  it("says that the canary is stopped, with the figures of then, and nothing else while it is", async () => {
    const { control, verdicts, feed } = await startVerdict();
    feed.hear(40, healthy, [verdicts]);
    await control.judge();
    const before = verdicts.verdict!;
    expect(before.outcome).to.equal("healthy");
    await control.ledger.flip("feature", {
      value: false,
      by: "operator",
      reason: "r",
      data: {},
    });
    await control.judge();
    const { outcome, canary, evidence } = verdicts.verdict!;
    expect(outcome).to.equal("stopped");
    expect({ canary, evidence }).to.deep.equal({
      canary: before.canary,
      evidence: before.evidence,
    });
  });

  it("only raises an alert with VERDICT=observe", async () => {
    const { control, verdicts, feed } = await startVerdict({
      VERDICT: "observe",
    });
    feed.hear(40, slowerBy(2), [verdicts]);
    await control.judge();
    await control.judge();
    expect(await control.flag()).to.be.null;
    expect(await control.kinds()).to.deep.equal(["breach by monitor"]);
  });

  it("has none with VERDICT=off", async () => {
    const { control, verdicts, feed } = await startVerdict({ VERDICT: "off" });
    feed.hear(40, slowerBy(2), [verdicts]);
    await control.judge();
    expect(verdicts.verdict).to.be.undefined;
    expect(await control.events()).to.be.empty;
  });

  it("stops a slow canary by the threshold with VERDICT=off", async () => {
    const { control } = await startVerdict({ VERDICT: "off" });
    control.hearTraffic("canary", times(20, 900));
    await control.judge();
    expect(await control.flag()).to.equal("false");
    const [flip] = (await control.events()).slice(-1);
    expect(flip?.data).to.include({ rule: "latency", side: "canary" });
  });

  it("gives no verdict after Redis’s clock was set back", async () => {
    const { control, verdicts, feed } = await startVerdict();
    control.pass(-3_600_000);
    feed.hear(20, slowerBy(3), [verdicts]);
    await control.judge();
    expect(verdicts.verdict?.outcome).to.be.null;
    expect(verdicts.verdict?.because).to.match(/clock was set back/);
    expect(await control.flag()).to.be.null;
  });

  for (const [what, fields] of [
    ["a count below 0", { dealt: -1 }],
    ["a latency in no bucket", { latency: [[321, 1]] }],
    ["a route’s count that is none", { routes: { "GET /get": {} } }],
  ] as const)
    it(`suspends the verdict for ten seconds after a window with ${what}, and pairs the next ones`, async () => {
      const { control, verdicts, feed } = await startVerdict();
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

  it("ignores an unreadable host sample", async () => {
    const { control, verdicts, feed } = await startVerdict();
    feed.hear(40, healthy, [verdicts]);
    feed.hearRaw({ kind: "host", data: {} }, [verdicts]);
    await control.judge();
    expect(verdicts.verdict?.outcome).to.equal("healthy");
  });
});
