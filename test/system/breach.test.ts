import { expect } from "chai";
import { entryTimeMs } from "../../lib/redis/stream-entry.js";
import { heldUpTime } from "../support/running-time.js";
import { callInParallel } from "../support/system/http-call.js";
import { toMonotonicMs } from "../support/system/monotonic.js";
import {
  untilLoadIsPast,
  untilMailsArrive,
  untilProxySees,
} from "../support/system/conditions.js";
import {
  sendSlowRequests,
  startLoad,
  startSystem,
} from "../support/system/start-system.js";

/** From the flip in Redis to the last request that still reaches the canary, unless the machine stalls; measured: a few ms. */
const FLIP_SLACK_MS = 250;

describe("a canary that becomes slow", function () {
  this.timeout(60_000);

  it("is cut off by the monitor: one flip, one mail with the figures, not a request after it", async () => {
    const system = await startSystem();
    const load = startLoad(system);
    const heldUpBefore = heldUpTime();
    await sendSlowRequests(system);
    await untilProxySees(system, false);

    const { flag } = await system.state();
    expect(flag).to.include({ name: "feature", value: false, by: "monitor" });
    const [flip] = await system.events("flip");
    expect(flip?.by).to.equal("monitor");
    expect(flip?.data).to.include({ rule: "latency", side: "canary" });
    expect(flip?.data.latencyMs).to.be.at.least(500);

    const flippedAt = toMonotonicMs(entryTimeMs(flip!.id));

    // Requests that were under way at the flip have long ended when these have.
    for (let turn = 0; turn < 10; turn++) {
      const ask = { port: system.proxy.port, path: "/" };
      const answers = await callInParallel(10, ask);
      expect(new Set(answers.map(({ servedBy }) => servedBy))).to.deep.equal(
        new Set(["prod"]),
      );
    }
    await untilLoadIsPast(load, flippedAt + 1000);
    const starts = await system.canaryApp.requestStarts();
    expect(starts.length).to.be.greaterThan(5);
    expect(starts.at(-1)!.atMs - flippedAt).to.be.below(
      FLIP_SLACK_MS + heldUpTime() - heldUpBefore,
    );

    await untilMailsArrive(system, 1);
    expect(await system.events("flip")).to.have.length(1);
    // On a busy machine prod may be slow as well.
    const breaches = await system.events("breach");
    expect(
      breaches.filter(({ data }) => data.side === "canary"),
    ).to.have.length(1);
    expect(system.mailSink.subjects).to.have.length(1);
    const [mail] = system.mailSink.mails;
    expect(mail?.subject).to.match(
      /^\[serin\] \S+ stopped: p95 [\d,.]+ ms > 500 ms$/,
    );
    expect(mail?.text).to.include(flip!.reason);
    expect(mail?.headers.get("x-serin-event")).to.equal(
      `${system.keys.prefix}${flip!.id}`,
    );
    await load.stop();
    expect(load.failures).to.deep.equal([]);
  });
});
