import { expect } from "chai";
import {
  untilMailsArrive,
  untilProxySees,
} from "../support/system/conditions.js";
import {
  sendSlowRequests,
  startSystem,
} from "../support/system/start-system.js";
import { waitFor } from "../support/wait-for.js";

const WAITS = "mail could not be sent and waits in the outbox";

describe("a mail server that is down during a flip", function () {
  this.timeout(60_000);

  it("gets the mail later, once, though the monitor was restarted meanwhile", async () => {
    const system = await startSystem();
    const { monitor, mailSink } = system;
    await mailSink.close();
    await sendSlowRequests(system);
    await untilProxySees(system, false);
    await monitor.logs(WAITS);
    expect(await monitor.end("SIGTERM")).to.equal(0);
    await monitor.start();
    await waitFor(
      "the new run to try in vain",
      () => monitor.log.filter(({ msg }) => msg === WAITS).length > 1,
    );
    expect((await system.state()).outbox.pending).to.equal(1);

    await mailSink.open();
    await untilMailsArrive(system, 1);
    expect(mailSink.subjects).to.have.length(1);
    expect(mailSink.subjects[0]).to.include("canary stopped");
    expect(await system.events("flip")).to.have.length(1);
  });
});
