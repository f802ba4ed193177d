import { expect } from "chai";
import { onCleanup } from "../support/cleanup.js";
import { ClosedLoop } from "../support/system/closed-loop.js";
import { expectOrderlyLeave } from "../support/system/orderly-leave.js";
import { untilWhole } from "../support/system/conditions.js";
import {
  NO_LATENCY_RULE,
  shareSystem,
} from "../support/system/start-system.js";
import { waitFor } from "../support/wait-for.js";

const CONNECTIONS = 32;

describe("SIGTERM", function () {
  this.timeout(60_000);

  const shared = shareSystem({ env: { monitor: NO_LATENCY_RULE } });

  it("ends the proxy under load without a lost request: every client is answered and told to go", async () => {
    const { proxy } = shared();
    const clients = new ClosedLoop({
      port: proxy.port,
      path: "/",
      connections: CONNECTIONS,
    });
    onCleanup(() => clients.stop());
    await waitFor("load", () => clients.answers > 20 * CONNECTIONS);

    const stoppedAt = performance.now();
    expect(await proxy.end("SIGTERM")).to.equal(0);
    await clients.done();
    expectOrderlyLeave(clients, { connections: CONNECTIONS, stoppedAt });
  });

  it("has the proxy finish slow answers that are under way", async () => {
    const { proxy, canaryApp } = shared();
    await proxy.start();
    await untilWhole(shared());
    const served = (await canaryApp.requestStarts()).length;
    // Prod refuses this path at once, and its clients ask again: in the end all wait for the canary. They wait for so long
    // that even on a busy machine none is answered and asks again before.
    const slow = new ClosedLoop({
      port: proxy.port,
      path: "/slow?ms=5000",
      connections: CONNECTIONS,
    });
    onCleanup(() => slow.stop());
    await waitFor(
      "slow requests under way",
      async () =>
        (await canaryApp.requestStarts()).length >= served + CONNECTIONS,
    );

    expect(await proxy.end("SIGTERM")).to.equal(0);
    await slow.done();
    expect(slow.errors).to.deep.equal([]);
    expect(slow.told).to.equal(CONNECTIONS);
    expect(slow.statuses.get(200)).to.equal(CONNECTIONS);
  });

  it("ends every program with status 0, and the stops of all but the apps are in the ledger", async () => {
    const system = shared();
    const startsBefore = (await system.events("start")).length;
    await system.proxy.start();
    // A program that stops before it has reached Redis records nothing.
    await waitFor(
      "the proxy's start in the ledger",
      async () => (await system.events("start")).length > startsBefore,
    );
    const stopsBefore = (await system.events("stop")).length;
    const { proxy, monitor, prodAgent, canaryAgent, prodApp, canaryApp } =
      system;
    const stops = async () =>
      (await system.events("stop"))
        .slice(stopsBefore)
        .map(({ by }) => by)
        .sort();
    const statuses = await Promise.all(
      [proxy, prodAgent, canaryAgent, prodApp, canaryApp].map((program) =>
        program.end("SIGTERM"),
      ),
    );
    // The monitor enters the agents' stops.
    await waitFor("three stops", async () => (await stops()).length === 3);
    statuses.push(await monitor.end("SIGTERM"));
    expect(statuses).to.deep.equal([0, 0, 0, 0, 0, 0]);
    expect(await stops()).to.deep.equal(["agent", "agent", "monitor", "proxy"]);
    expect(await system.redis.exists(system.keys.lease)).to.equal(0);
  });
});
