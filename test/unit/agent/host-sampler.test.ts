import { expect } from "chai";
import { HostSampler } from "../../../apps/agent/host-sampler.js";
import { createMemoryLogger } from "../../support/logger.js";

describe("agent host sampler", () => {
  it("does not start after it was closed", async () => {
    let lookUps = 0;
    const sampler = new HostSampler({
      target: "prod",
      probe: () =>
        Promise.resolve({ ok: false, ms: 1, status: null, version: null }),
      findApp: () => Promise.resolve({ pid: (lookUps += 1) }),
      intervalMs: 60_000,
      send: () => Promise.resolve(),
      logger: createMemoryLogger(),
    });
    await sampler.close();
    sampler.start();
    expect(lookUps).to.equal(0);
    await sampler.close();
  });
});
