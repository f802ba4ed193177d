import { expect } from "chai";
import {
  decideStep,
  type ProdHost,
  type StepFacts,
} from "../../../apps/monitor/rollout/decide-step.js";
import type { Verdict } from "../../../apps/monitor/verdict/verdict.js";
import type { Rollout } from "../../../lib/rollout/rollout.js";
import { readSpec } from "../../support/redis/test-rollout.js";

const NOW = Date.UTC(2026, 2, 1, 14, 3);
const STEPS = [
  { weight: 0, check: "true" },
  { weight: 10, for: "60s" },
  { weight: 20, for: "60s", requests: 200 },
  { pause: true },
  { weight: 25, for: "60s" },
];

/** The second step, whose time is over. */
function rolloutWith(
  fields: Partial<Rollout> = {},
  analysis: unknown = {},
): Rollout {
  return {
    ...{ id: 41, candidate: "0.3.0", stable: "0.2.0", phase: "Progressing" },
    ...{ step: 1, stepStartedAt: NOW - 60_000, weight: 10, checked: false },
    ...{ pausedAt: null, heldBy: null, heldSince: null, outcome: null },
    ...{ by: "operator", reason: "", at: NOW, startedAt: NOW - 90_000 },
    ...{ harm: 0, promoted: 0 },
    spec: readSpec({ rollout: { steps: STEPS }, analysis }),
    ...fields,
  };
}

const VERDICT = {
  ...{ outcome: "insufficient", because: null },
  ...{ evidence: -0.5, evidenceToStop: Math.log(100) },
} as unknown as Verdict;

const FACTS: StepFacts = {
  ...{ isDealing: true, canaryVersions: ["0.3.0"], prod: [] },
  ...{ requests: 50, harm: 0, verdict: VERDICT },
};

const promoted: ProdHost = {
  ...{ host: "web1", version: "0.3.0", unwell: undefined },
};
const stable = { ...promoted, host: "web2", version: "0.2.0" };

/** `promote`, `hold by …`, `abort by rule …`, or nothing. */
function decide(
  rollout: Rollout,
  facts: Partial<StepFacts> = {},
  now = NOW,
): string | undefined {
  const step = decideStep(rollout, { ...FACTS, ...facts }, now);
  if (step === undefined) return undefined;
  const { request, data = {} } = step;
  if (request.verb === "hold") return `hold by ${request.by}`;
  return typeof data.rule === "string"
    ? `${request.verb} by rule ${data.rule}`
    : request.verb;
}

describe("the next step of a rollout", () => {
  it("comes when time and requests are reached, and the canary is not worse", () => {
    expect(decide(rolloutWith())).to.equal("promote");
    expect(decide(rolloutWith(), {}, NOW - 1)).to.equal(undefined);
    expect(decide(rolloutWith(), { requests: 49 })).to.equal(
      "hold by insufficient",
    );
    const third = rolloutWith({ step: 2 });
    expect(decide(third, { requests: 199 })).to.equal("hold by requests");
    expect(decide(third, { requests: 200 })).to.equal("promote");
  });

  it("never comes out of a pause", () => {
    expect(decide(rolloutWith({ step: 3, phase: "Paused" }))).to.equal(
      undefined,
    );
    expect(decide(rolloutWith({ phase: "Paused" }))).to.equal(undefined);
  });

  for (const [verdict, expected] of [
    [{ evidence: 0.99 }, "promote"],
    [{ evidence: 1 }, "hold by evidence"],
    [{ evidence: 4.5 }, "hold by evidence"],
    [{ outcome: "worse" }, "hold by evidence"],
    [{ outcome: "warming" }, "hold by insufficient"],
    [{ outcome: null, because: "a clock jumped" }, "hold by blind"],
    [{ outcome: "split broken" }, "hold by blind"],
    [{ outcome: "healthy" }, "promote"],
  ] as const)
    it(`with the verdict ${JSON.stringify(verdict)}: ${expected}`, () => {
      expect(
        decide(rolloutWith(), { verdict: { ...VERDICT, ...verdict } }),
      ).to.equal(expected);
    });

  it("needs no verdict where none is given", () => {
    expect(decide(rolloutWith(), { verdict: undefined })).to.equal("promote");
  });

  it("waits until the check of a smoke step is reported", () => {
    const first = rolloutWith({ step: 0, weight: 0 });
    const quiet = { requests: 0, isDealing: false };
    expect(decide(first, quiet)).to.equal("hold by check");
    expect(decide({ ...first, checked: true }, quiet)).to.equal("promote");
  });

  it("is held while no proxy deals, and while the canary runs another release", () => {
    expect(decide(rolloutWith(), { isDealing: false })).to.equal(
      "hold by blind",
    );
    const early = rolloutWith({ stepStartedAt: NOW });
    expect(decide(early, { canaryVersions: ["0.2.0"] })).to.equal(
      "hold by version",
    );
    const held = { ...early, heldBy: "version", heldSince: NOW } as const;
    expect(decide(held, { canaryVersions: ["0.2.0"] })).to.equal(undefined);
    expect(decide(held)).to.equal("begin");
    expect(decide(early, { canaryVersions: [] })).to.equal(undefined);
  });

  it("changes what holds it every ten seconds at most", () => {
    const held = { heldBy: "evidence", heldSince: NOW - 9999 } as const;
    expect(decide(rolloutWith(held), { requests: 0 })).to.equal(undefined);
    const later = rolloutWith({ ...held, heldSince: NOW - 10_000 });
    expect(decide(later, { requests: 0 })).to.equal("hold by insufficient");
    expect(decide(rolloutWith(held))).to.equal("promote");
  });

  for (const [on, expected] of [
    ["hold", undefined],
    ["promote", "promote"],
    ["abort", "abort by rule insufficient"],
  ] as const)
    it(`with too little traffic for long and insufficient.on = ${on}: ${expected}`, () => {
      const rule = { insufficient: { after: "30m", on } };
      const heldSince = NOW - 1_800_000;
      const held = { heldBy: "insufficient", heldSince } as const;
      const little = { requests: 3 };
      expect(decide(rolloutWith(held, rule), little)).to.equal(expected);
      const shorter = { ...held, heldSince: heldSince + 1 };
      expect(decide(rolloutWith(shorter, rule), little)).to.equal(undefined);
      const evidence = { ...held, heldBy: "evidence" } as const;
      const bad = { verdict: { ...VERDICT, evidence: 2 } };
      expect(decide(rolloutWith(evidence, rule), bad)).to.equal(undefined);
    });

  for (const [on, progressing, paused] of [
    ["abort", "abort by rule harm", "abort by rule harm"],
    ["pause", "pause by rule harm", undefined],
    ["notify", "promote", undefined],
  ] as const)
    it(`with more harm than the budget and harm.on = ${on}: ${progressing}`, () => {
      const rule = { harm: { requests: 200, on } };
      const facts = { harm: 201 };
      expect(decide(rolloutWith({}, rule), facts)).to.equal(progressing);
      expect(decide(rolloutWith({ phase: "Paused" }, rule), facts)).to.equal(
        paused,
      );
      expect(decide(rolloutWith({}, rule), { harm: 200 })).to.equal("promote");
    });

  it("stores the harm when a step is over", () => {
    const step = decideStep(rolloutWith(), { ...FACTS, harm: 10 }, NOW);
    expect(step?.request).to.deep.equal({ verb: "promote", harm: 10 });
  });

  it("does not come by insufficient.on = promote while the verdict speaks against the canary", () => {
    const rule = { insufficient: { after: "30m", on: "promote" } };
    const heldSince = NOW - 1_800_000;
    const held = rolloutWith({ heldBy: "insufficient", heldSince }, rule);
    const little = { requests: 3, harm: 2 };
    const bad = { ...VERDICT, outcome: "worse", evidence: 57 } as Verdict;
    expect(decide(held, { ...little, verdict: bad })).to.equal(undefined);
    const step = decideStep(held, { ...FACTS, ...little }, NOW);
    expect(step?.request).to.deep.equal({ verb: "promote", harm: 2 });
  });

  describe("of the promotion", () => {
    const promoting = (fields: Partial<Rollout> = {}) =>
      rolloutWith({ phase: "Promoting", step: 5, ...fields });

    it("counts the prod hosts that run the candidate, and ends with the last", () => {
      const one = { prod: [promoted, stable] };
      expect(decide(promoting(), one)).to.equal("promoted");
      expect(decide(promoting({ promoted: 1 }), one)).to.equal(undefined);
      expect(decide(promoting(), { prod: [promoted, promoted] })).to.equal(
        "finish",
      );
    });

    it("goes on while no prod host is known", () => {
      expect(decide(promoting())).to.equal(undefined);
    });

    it("aborts when a host with the candidate is unwell for ten seconds", () => {
      const unwell = (ms: number, host = promoted) => ({
        ...host,
        unwell: { because: "is gone", sinceMs: NOW - ms },
      });
      const ask = (host: ProdHost) =>
        decide(promoting({ promoted: 1 }), { prod: [host, stable] });
      expect(ask(unwell(10_000))).to.equal("abort by rule promotion");
      expect(ask(unwell(9999))).to.equal(undefined);
      expect(decide(promoting(), { prod: [unwell(60_000, stable)] })).to.equal(
        undefined,
      );
      expect(decide(promoting(), { prod: [unwell(5000)] })).to.equal(undefined);
    });

    it("aborts when no prod host has changed for 30 minutes", () => {
      const late = { stepStartedAt: NOW - 1_800_000 };
      const prod = [stable];
      expect(decide(promoting(late), { prod })).to.equal(
        "abort by rule promotion",
      );
      expect(decide(promoting(late), { prod }, NOW - 1)).to.equal(undefined);
      expect(decide(promoting(late), { prod: [promoted, stable] })).to.equal(
        "promoted",
      );
    });
  });
});
