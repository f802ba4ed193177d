import { expect } from "chai";
import { monotonicMs } from "../support/system/monotonic.js";
import {
  untilCanaryServes,
  untilMailsArrive,
  untilProxySees,
} from "../support/system/conditions.js";
import {
  NO_LATENCY_RULE,
  startLoad,
  startSystem,
} from "../support/system/start-system.js";
import { tally } from "../support/system/steady-load.js";
import { waitFor } from "../support/wait-for.js";

describe("a canary app that is killed", function () {
  this.timeout(60_000);

  it("is noticed by nobody but the team: prod answers all, the proxy takes it out, mails tell, and a person lets it in again", async () => {
    const system = await startSystem({
      env: {
        monitor: {
          ...NO_LATENCY_RULE,
          ALERT_DELAY_MS: "2000",
          ALERT_GROUP_MS: "500",
        },
      },
    });
    const { canaryApp, mailSink } = system;
    const load = startLoad(system, { perSecond: 100 });
    await untilCanaryServes(load);

    await canaryApp.end("SIGKILL");
    const goneAt = monotonicMs();
    await untilProxySees(system, false);
    await untilMailsArrive(system, 2);
    expect([...mailSink.subjects].sort().join("\n")).to.match(
      /^\[serin\] alert: the canary app on .+ is gone\n\[serin\] \S+ stopped: /,
    );
    const [alert] = await system.events("alert");
    expect(alert?.data).to.include({ alert: "gone", target: "canary" });
    const flips = await system.events("flip");
    expect(flips).to.have.length(1);
    expect(flips[0]).to.include({ by: "proxy" });
    expect(flips[0]?.data).to.include({ rule: "breaker", value: false });
    await waitFor("a second of load", () => load.since(goneAt).length >= 100);
    expect(Object.keys(tally(load.since(goneAt)))).to.deep.equal(["prod 200"]);

    const backAt = monotonicMs();
    await canaryApp.start();
    await waitFor("the mail that it is over", () =>
      mailSink.subjects.some((subject) => subject?.includes("no longer gone")),
    );
    expect(load.byCanary.some(({ dueAt }) => dueAt > goneAt)).to.equal(false);
    await system.setFlag(true);
    await untilCanaryServes(load, backAt);
    // A start that takes long may be met by a failing probe or two, and told of as well.
    const subjects = mailSink.subjects.filter((subject) =>
      subject?.includes("gone"),
    );
    expect(subjects).to.have.length(2);
    expect(subjects[1]).to.match(/^\[serin\] recovery: .+ is no longer gone/);
    await load.stop();
    expect(load.failures).to.deep.equal([]);
  });
});
