import { expect } from "chai";
import { readConfig } from "../../../apps/monitor/config.js";
import { VerdictKeeper } from "../../../apps/monitor/control/verdict-keeper.js";
import type { LedgerEvent } from "../../../lib/flag/ledger.js";
import type { Control } from "../../support/monitor/control.js";
import { startVerdict } from "../../support/monitor/verdict-feed.js";
import { healthy } from "../../support/monitor/verdict-traffic.js";

const RELEASE: LedgerEvent = {
  id: "1-0",
  kind: "deploy",
  by: "operator",
  reason: "",
  at: "",
  data: { release: true },
};

const flip = (control: Control, value: boolean) =>
  control.ledger.flip("feature", {
    value,
    by: "operator",
    reason: "r",
    data: {},
  });

describe("controller, by a verdict on one release after another", () => {
  it("forgets its baseline at a new version of prod", async () => {
    const { control, verdicts, feed } = await startVerdict();
    feed.hearHost({ target: "prod", version: "1" }, [verdicts]);
    feed.hear(40, healthy, [verdicts]);
    feed.hearHost({ target: "prod", version: "2" }, [verdicts]);
    feed.hear(5, healthy, [verdicts]);
    await control.judge();
    expect(verdicts.verdict?.because).to.match(
      /^no latency can be compared yet/,
    );
  });

  it("does not count requests from before the release", async () => {
    const { control, verdicts, feed } = await startVerdict();
    feed.hear(40, healthy, [verdicts]);
    verdicts.onEvent(RELEASE, control.now());
    control.pass(1000);
    await control.judge();
    expect(verdicts.verdict?.because).to.match(
      /^the canary has had no request/,
    );
  });

  it("starts over at a new version or POST /api/release, and halves alpha after a resume", async () => {
    const { control, verdicts, feed } = await startVerdict();
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
    for (const value of [false, true]) await flip(control, value);
    await control.judge();
    expect(verdicts.verdict?.evidenceToStop).to.be.closeTo(5.298, 0.001);
  });

  describe("counts tries of the same version", () => {
    const flipAndJudge = async (control: Control, value: boolean) => {
      await flip(control, value);
      await control.judge();
    };
    const toStop = (tries: number) => Math.log(100 * 2 ** tries);

    it("does not count a try for a version deployed while the flag was off", async () => {
      const { control, verdicts, feed } = await startVerdict();
      feed.hearHost({ version: "1" }, [verdicts]);
      await flipAndJudge(control, false);
      feed.hearHost({ version: "2" }, [verdicts]);
      await control.judge();
      await flipAndJudge(control, true);
      expect(verdicts.verdict?.evidenceToStop).to.be.closeTo(toStop(0), 1e-9);
      feed.hear(4, healthy, [verdicts]);
      await control.judge();
      await flipAndJudge(control, false);
      await flipAndJudge(control, true);
      expect(verdicts.verdict?.evidenceToStop).to.be.closeTo(toStop(1), 1e-9);
      feed.hear(4, healthy, [verdicts]);
      await control.judge();
      await flipAndJudge(control, false);
      await flipAndJudge(control, true);
      expect(verdicts.verdict?.evidenceToStop).to.be.closeTo(toStop(2), 1e-9);
    });

    it("counts a try when a split sends requests to both sides again", async () => {
      const { control, verdicts, feed } = await startVerdict();
      feed.hear(40, healthy, [verdicts]);
      await control.judge();
      feed.split = "1:0";
      feed.hear(30, healthy, [verdicts]);
      await control.judge();
      expect(verdicts.verdict?.because).to.match(/^nothing to compare: /);
      feed.split = "3:1";
      feed.hear(1, healthy, [verdicts]);
      await control.judge();
      expect(verdicts.verdict?.because).to.match(/^warming up: 12 /);
      expect(verdicts.verdict?.evidenceToStop).to.be.closeTo(toStop(1), 1e-9);
    });

    for (const tolerance of ["20%+5ms", "10%+1ms"])
      it(`counts a try for another tolerance: ${tolerance}`, async () => {
        const { control, verdicts, feed } = await startVerdict();
        feed.hear(40, healthy, [verdicts]);
        control.pass(2000);
        await control.judge();
        const { redis, keys } = control.context;
        const config = readConfig({
          VERDICT_WARM_UP: "0s",
          VERDICT_TOLERANCE: tolerance,
        });
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
