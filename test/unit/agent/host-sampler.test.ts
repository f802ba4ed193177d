import { expect } from "chai";
import { HostSampler } from "../../../apps/agent/host-sampler.js";
import { HiddenListener } from "../../../lib/program/find-listener.js";
import type { HostSample } from "../../../lib/telemetry/telemetry.js";
import { onCleanup } from "../../support/cleanup.js";
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

  for (const ok of [true, false])
    it(`reports a hidden process as ${ok ? "up while its probe succeeds" : "down while its probe fails"}`, async () => {
      const logger = createMemoryLogger();
      const sent = new Promise<HostSample>((resolve) => {
        const sampler = new HostSampler({
          target: "prod",
          probe: () =>
            Promise.resolve({ ok, ms: 1, status: null, version: null }),
          findApp: () => Promise.reject(new HiddenListener("not ours")),
          intervalMs: 60_000,
          send: (sample) => {
            resolve(sample);
            return Promise.resolve();
          },
          logger,
        });
        sampler.start();
        onCleanup(() => sampler.close());
      });
      expect(await sent).to.include({ up: ok, pid: null, cpuRatio: null });
      expect(logger.lines.map(({ message }) => message)).to.deep.equal([
        "cannot read the app's process",
      ]);
    });
});
