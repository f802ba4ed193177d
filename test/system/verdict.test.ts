import { expect } from "chai";
import { waitFor } from "../support/wait-for.js";
import {
  NO_LATENCY_RULE,
  startLoad,
  startSystem,
} from "../support/system/start-system.js";
import type { System } from "../support/system/system.js";

const BASE = {
  app: { BASE_LATENCY_MS: "40", SLOW_MS: "300" },
  monitor: NO_LATENCY_RULE,
};

async function untilSeen(system: System, canaryRequests: number) {
  return await waitFor(
    `${canaryRequests} compared canary requests`,
    async () => {
      const { verdict } = await system.state();
      return (verdict?.canary.requests ?? 0) >= canaryRequests && verdict;
    },
    60_000,
  );
}

describe("the verdict", function () {
  this.timeout(120_000);

  it("stops a canary that is slower by half, far below the threshold", async () => {
    const system = await startSystem({
      env: { ...BASE, canaryApp: { SLOWDOWN: "1.5" } },
    });
    startLoad(system, { perSecond: 100 });
    await waitFor(
      "the flag to be false",
      async () => !(await system.state()).flag.value,
      60_000,
    );
    const [flip] = await system.events("flip");
    expect(flip?.by).to.equal("monitor");
    expect(flip?.data).to.include({ rule: "verdict", side: "canary" });
    expect(flip?.reason).to.match(
      /^canary [12](\.\d)? × slower than prod on GET \/ after \d+ canary requests; evidence \d[\d,]* : 1$/,
    );
  });

  it("lets both be equally slow, and a route be slow that only the canary has", async () => {
    const system = await startSystem({
      env: { ...BASE, app: { ...BASE.app, SLOWDOWN: "1.5" } },
    });
    startLoad(system, { perSecond: 100 });
    startLoad(system, { perSecond: 10, path: "/slow" });
    const verdict = await untilSeen(system, 400);
    expect(verdict.outcome).to.equal("healthy");
    const slow = verdict.routes.find(({ route }) => route === "GET /slow");
    expect(slow?.because).to.match(/^prod /);
    expect((await system.state()).flag.value).to.be.true;
  });

  it("stops a canary that fails one request in ten by its errors, long before it is slow", async () => {
    const system = await startSystem({
      env: {
        ...BASE,
        proxy: { BREAKER: "off" },
        canaryApp: { ERROR_RATIO: "0.1" },
      },
    });
    startLoad(system, { perSecond: 100 });
    await waitFor(
      "the flag to be false",
      async () => !(await system.state()).flag.value,
      60_000,
    );
    const [flip] = await system.events("flip");
    expect(flip?.by).to.equal("monitor");
    expect(flip?.data).to.include({ rule: "verdict", side: "canary" });
    expect(flip?.reason).to.match(
      /^canary fails \d+(\.\d)? % of its requests, prod 0 %, after \d+ canary requests; evidence \d[\d,]* : 1$/,
    );
    expect(flip?.data.canaryRequests).to.be.below(400);
  });

  it("lets both fail as often", async () => {
    const system = await startSystem({
      env: {
        ...BASE,
        app: { ...BASE.app, ERROR_RATIO: "0.1" },
        proxy: { BREAKER: "off" },
      },
    });
    startLoad(system, { perSecond: 100 });
    const verdict = await untilSeen(system, 400);
    expect(verdict.outcome).to.equal("healthy");
    expect(verdict.canary.errors).to.be.above(0);
    expect((await system.state()).flag.value).to.be.true;
  });
});
