import { expect } from "chai";
import { createSharedState } from "../../../apps/proxy/shared-state.js";
import { RecentSum } from "../../../apps/proxy/canary/recent-requests.js";
import { TrafficSum } from "../../../apps/proxy/traffic/traffic-sum.js";
import { WorkerPool } from "../../../apps/proxy/workers/worker-pool.js";
import { onCleanup } from "../../support/cleanup.js";
import { createMemoryLogger } from "../../support/logger.js";
import { waitFor } from "../../support/wait-for.js";

/** Longer than a thread takes to start. */
const START_MS = 10_000;
/** Longer than an idle thread takes to end. */
const END_MS = 300;

describe("proxy worker pool", () => {
  it("ends a reload whose new worker hangs before it listens", async () => {
    const shared = createSharedState();
    const pool = new WorkerPool({
      config: { workers: 1, host: "127.0.0.1", port: 0, drainMs: 100 },
      entry: new URL("../../support/workers/brief-worker.js", import.meta.url),
      ...{ shared, recent: new RecentSum(), traffic: new TrafficSum(0) },
      onTrip: () => undefined,
      hungMs: 1000,
      logger: createMemoryLogger(),
    });
    onCleanup(() => pool.close());
    await pool.listen();
    shared.connections[0] = 2;
    let isReloaded = false;
    void pool.reload().then(() => (isReloaded = true));
    await waitFor("the reload's end", async () => {
      await pool.count();
      return isReloaded;
    });
    shared.connections[0] = 0;
  });

  it("keeps a worker whose successor listens and crashes before either is reported", async () => {
    const shared = createSharedState();
    const pool = new WorkerPool({
      config: { workers: 1, host: "127.0.0.1", port: 0, drainMs: 100 },
      entry: new URL("../../support/workers/brief-worker.js", import.meta.url),
      shared,
      recent: new RecentSum(),
      traffic: new TrafficSum(0),
      onTrip: () => undefined,
      logger: createMemoryLogger(),
    });
    onCleanup(() => pool.close());
    await pool.listen();
    const { connections } = shared;
    connections[0] = 1;
    const reloaded = pool.reload();
    // Block this thread meanwhile.
    expect(Atomics.wait(connections, 0, 1, START_MS)).to.not.equal("timed-out");
    connections[0] = 0;
    Atomics.wait(connections, 0, 0, END_MS);
    await reloaded;
    await waitFor("a worker to listen", () => pool.isListening, 5000);
  });
});
