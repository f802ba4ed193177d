import { expect } from "chai";
import { untilProxySees } from "../support/system/conditions.js";
import { callForJson } from "../support/system/http-call.js";
import {
  deployCanary,
  deployProd,
  readChanges,
  startRollout,
  untilPhase,
  untilRollout,
} from "../support/system/rollout-watch.js";
import {
  sendSlowRequests,
  shareSystem,
  startLoad,
} from "../support/system/start-system.js";
import { waitFor } from "../support/wait-for.js";

const STEPS = [
  { weight: 20, for: "1s", requests: 10 },
  { weight: 50, for: "1s", requests: 10 },
];
const LONG = [{ weight: 50, for: "1h" }];

describe("a rollout", function () {
  this.timeout(60_000);

  const shared = shareSystem({
    env: {
      app: { VERSION: "1.0.0" },
      monitor: { VERDICT_WARM_UP: "1s" },
      proxy: { BREAKER: "off" },
    },
  });

  const place = (path: string) => ({ port: shared().monitor.port, path });

  it("goes from step to step, waits for prod and ends healthy, without a failed request", async () => {
    const system = shared();
    await deployCanary(system, "2.0.0");
    const load = startLoad(system, { perSecond: 100 });
    await startRollout(system, "2.0.0", { steps: STEPS });
    const first = await untilRollout(
      system,
      "the first weight",
      ({ weight }) => weight === 20,
    );
    await waitFor(
      "the proxy to deal it",
      async () => (await system.proxyStatus()).weight === 20,
    );
    await untilRollout(system, "the second", ({ weight }) => weight === 50);
    await untilPhase(system, "Promoting");
    await load.stop();
    expect(load.failures).to.be.empty;
    await deployProd(system, "2.0.0");
    await untilPhase(system, "Healthy");
    const name = `rollout ${first.id} of 2.0.0`;
    const changes = await readChanges(system, first.id);
    expect(
      changes.filter((reason) => !reason.includes("is held")),
    ).to.deep.equal([
      `${name} has started: step 1 of 2, canary takes 20 %`,
      `${name}: step 2 of 2, canary takes 50 %`,
      `${name}: all steps are done, prod can get it`,
      `${name} is Healthy: prod runs it`,
    ]);
    expect(await system.redis.get(system.keys.flagWeight("feature"))).to.equal(
      null,
    );
    await waitFor("the mails", () =>
      Promise.resolve(
        system.mailSink.mails.some(({ subject }) =>
          subject?.includes(`${name} is Healthy`),
        ),
      ),
    );
  });

  it("is aborted by the latency rule, and gets no requests until a person retries it", async () => {
    const system = shared();
    await deployCanary(system, "2.1.0");
    startLoad(system, { perSecond: 20 });
    const held = await startRollout(system, "2.1.0", { steps: LONG });
    await sendSlowRequests(system);
    const { id } = await untilPhase(system, "Aborted");
    await untilProxySees(system, false);
    const flip = (await system.events("flip")).at(-1);
    expect(flip?.data).to.include({ rollout: id, rule: "latency" });
    const { recovery } = await system.state();
    expect(recovery.waitsFor).to.equal(
      `a person: rollout ${id} is aborted (serin rollout retry)`,
    );
    await held.ask({ verb: "retry" });
    await untilProxySees(system, true);
    await held.ask({ verb: "abort" });
  });

  it("is aborted by the errors of the canary", async () => {
    const system = shared();
    await deployCanary(system, "2.2.0", { ERROR_RATIO: "0.5" });
    startLoad(system, { perSecond: 100 });
    await startRollout(system, "2.2.0", { steps: LONG });
    expect(await untilPhase(system, "Aborted")).to.include({
      outcome: "verdict",
    });
  });

  it("is aborted by the harm budget before there is enough evidence", async () => {
    const system = shared();
    await deployCanary(system, "2.3.0", { ERROR_RATIO: "1" });
    startLoad(system, { perSecond: 100 });
    await startRollout(system, "2.3.0", {
      steps: LONG,
      analysis: { harm: { requests: 1 } },
    });
    const aborted = await untilPhase(system, "Aborted");
    expect(["harm", "verdict"]).to.include(aborted.outcome);
  });

  it("is aborted by a person through the API, with receipts", async () => {
    const system = shared();
    await deployCanary(system, "2.4.0");
    await startRollout(system, "2.4.0", { steps: LONG });
    const answer = await callForJson({
      ...place("/api/rollout/abort"),
      method: "POST",
      body: JSON.stringify({ reason: "not today" }),
    });
    expect(answer).to.deep.include({ confirmed: true });
    expect((answer as { effect: string }).effect).to.match(
      /^1 proxy stopped the canary after /,
    );
    expect(await untilPhase(system, "Aborted")).to.include({
      outcome: "operator",
    });
  });

  it("is aborted by redis-cli", async () => {
    const system = shared();
    await deployCanary(system, "2.5.0");
    await startRollout(system, "2.5.0", { steps: LONG });
    await system.redis.set(system.keys.flag("feature"), "false");
    await untilProxySees(system, false);
    expect(await untilPhase(system, "Aborted")).to.include({ weight: 0 });
  });

  it("is held with too little traffic, then superseded by a newer one", async () => {
    const system = shared();
    await deployCanary(system, "2.6.0");
    startLoad(system, { perSecond: 4 });
    await startRollout(system, "2.6.0", {
      steps: [{ weight: 50, for: "1s" }, ...LONG],
    });
    const held = await untilRollout(
      system,
      "too little traffic",
      ({ heldBy }) => heldBy === "insufficient",
    );
    expect(held).to.include({ phase: "Progressing", step: 0 });
    await deployCanary(system, "2.7.0");
    await startRollout(system, "2.7.0", { steps: LONG });
    const newer = await untilRollout(
      system,
      "the newer one",
      ({ candidate }) => candidate === "2.7.0",
    );
    expect(newer.id).to.equal(held.id + 1);
    const last = (await readChanges(system, held.id)).at(-1);
    expect(last).to.include(`instead of rollout ${held.id}`);
  });
});
