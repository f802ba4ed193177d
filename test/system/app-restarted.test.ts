import { expect } from "chai";
import type { MonitorState } from "../../apps/monitor/api/state.js";
import { untilState } from "../support/system/conditions.js";
import { startSystem } from "../support/system/start-system.js";

function findProd({ hosts }: MonitorState) {
  return hosts.find(({ target }) => target === "prod");
}

describe("an app that is started again", function () {
  this.timeout(60_000);

  it("is followed by its agent to the new process", async () => {
    const system = await startSystem();
    const { prodApp } = system;
    const before = findProd(await system.state());
    expect(before).to.include({ pid: prodApp.pid, up: true });
    await prodApp.end("SIGTERM");
    await prodApp.start();
    expect(prodApp.pid).to.not.equal(before?.pid);

    const after = await untilState(system, "the new pid", (state) => {
      const prod = findProd(state);
      return prod?.pid === prodApp.pid && prod.probeOk && prod;
    });
    expect(after.up).to.equal(true);
    expect(Date.parse(after.startedAt ?? "")).to.be.greaterThan(
      Date.parse(before?.startedAt ?? ""),
    );
    expect(after.rssBytes).to.be.greaterThan(10_000_000);
  });
});
