import { expect } from "chai";
import { callForJson } from "../support/system/http-call.js";
import { expectDocumented } from "../support/http/expect-documented.js";
import type { Environment } from "../support/system/child-program.js";
import { untilState, untilWhole } from "../support/system/conditions.js";
import {
  NO_LATENCY_RULE,
  shareSystem,
  startLoad,
} from "../support/system/start-system.js";
import type { System } from "../support/system/system.js";
import { waitFor } from "../support/wait-for.js";

/** Replaces both apps by ones of a new version, whose test begins with nothing, and opens the canary. */
async function release(
  system: System,
  version: string,
  env: { prod?: Environment; canary?: Environment },
): Promise<void> {
  const { prodApp, canaryApp } = system;
  await Promise.all([prodApp.end("SIGTERM"), canaryApp.end("SIGTERM")]);
  await Promise.all([
    prodApp.start({ VERSION: version, ...env.prod }),
    canaryApp.start({ VERSION: version, ...env.canary }),
  ]);
  await untilState(
    system,
    `the test of ${version}`,
    ({ hosts, verdict }) =>
      hosts.every((host) => host.version === version) &&
      (verdict?.canary.requests ?? 0) === 0,
  );
  await system.setFlag(true);
  await untilWhole(system);
}

/** Waits until the flag is off. @returns the monitor's flip */
async function untilStopped(system: System) {
  await waitFor(
    "the flag to be false",
    async () => !(await system.state()).flag.value,
    60_000,
  );
  const flip = (await system.events("flip")).at(-1);
  expect(flip?.by).to.equal("monitor");
  expect(flip?.data).to.include({ rule: "verdict", side: "canary" });
  return flip!;
}

describe("the verdict", function () {
  this.timeout(120_000);

  const shared = shareSystem({
    env: {
      app: { BASE_LATENCY_MS: "40", SLOW_MS: "300" },
      monitor: { ...NO_LATENCY_RULE, VERDICT_WARM_UP: "5s" },
      proxy: { BREAKER: "off" },
    },
  });

  it("stops a canary that is slower by half, far below the threshold", async () => {
    const system = shared();
    await release(system, "slower", { canary: { SLOWDOWN: "1.5" } });
    startLoad(system, { perSecond: 100 });
    const { id, reason } = await untilStopped(system);
    const { port } = system.monitor;
    const replay = await callForJson({ port, path: `/api/verdicts/${id}` });
    expectDocumented("/api/verdicts/{id}", replay);
    expectDocumented("/api/state", await system.state());
    expect(reason).to.match(
      /^canary [12](\.\d)? × slower than prod on GET \/ after \d+ canary requests; evidence \d[\d,]* : 1$/,
    );
  });

  it("lets both be as slow and fail as often, and a route be slow that only the canary has", async () => {
    const system = shared();
    const worse = { SLOWDOWN: "1.5", ERROR_RATIO: "0.1" };
    await release(system, "both-worse", { prod: worse, canary: worse });
    startLoad(system, { perSecond: 100 });
    startLoad(system, { perSecond: 10, path: "/slow" });
    const verdict = await waitFor(
      "a healthy canary",
      async () => {
        const { verdict } = await system.state();
        return verdict?.outcome === "healthy" && verdict;
      },
      60_000,
    );
    expect(verdict.canary.errors).to.be.above(0);
    const route = verdict.routes.find(({ route }) => route === "GET /slow");
    expect(route?.because).to.match(/^prod /);
    expect((await system.state()).flag.value).to.be.true;
  });

  it("stops a canary that fails one request in ten by its errors, long before it is slow", async () => {
    const system = shared();
    await release(system, "failing", { canary: { ERROR_RATIO: "0.1" } });
    startLoad(system, { perSecond: 100 });
    const { reason, data } = await untilStopped(system);
    expect(reason).to.match(
      /^canary fails \d+(\.\d)? % of its requests( on GET \S+)?, prod 0 %(, after \d+ canary requests)?; evidence \d[\d,]* : 1$/,
    );
    expect(data.canaryRequests).to.be.below(400);
  });
});
