import { expect } from "chai";
import { specSchema, toFileTerms } from "../../../lib/rollout/spec.js";
import { createServiceFile } from "../../support/programs/service-file.js";
import { problemsIn } from "../../support/settings-problems.js";

const SERVICE = "service: shop\nrun: node server.js\n";

const problemsOf = problemsIn((text: string) =>
  createServiceFile(SERVICE + text),
);

describe("The blocks of a rollout", () => {
  it("take steps of weight, time, requests, checks and pauses", () => {
    const { rollout, analysis } = createServiceFile(`${SERVICE}rollout:
  steps:
    - {weight: 0, check: "curl -fsS $SERIN_CANARY_URL/healthz"}
    - {weight: 7.5, for: 2m, requests: 200}
    - {pause: true}
    - {weight: 50, for: 1h}
  match: {header: x-serin-canary, cookie: serin-canary}
analysis:
  errors: {on: pause}
  harm: {requests: 20, on: notify}
  insufficient: {after: 10m, on: promote}
`);
    expect(rollout).to.deep.equal({
      steps: [
        {
          weight: 0,
          forMs: 0,
          check: "curl -fsS $SERIN_CANARY_URL/healthz",
        },
        { weight: 7.5, forMs: 120_000, requests: 200 },
        { pause: true },
        { weight: 50, forMs: 3_600_000 },
      ],
      match: { header: "x-serin-canary", cookie: "serin-canary" },
    });
    expect(analysis).to.deep.include({
      worse_than_prod: { on: "abort" },
      errors: { on: "pause" },
      harm: { requests: 20, on: "notify" },
      insufficient: { afterMs: 600_000, on: "promote" },
    });
  });

  it("are the same after they were stored", () => {
    const { rollout, analysis } = createServiceFile(`${SERVICE}rollout:
  steps: [{weight: 0, for: 1500ms}, {pause: true}, {weight: 0.01, requests: 5}, {weight: 100, for: 90m}]
`);
    const stored = JSON.stringify(toFileTerms({ rollout, analysis }));
    expect(stored).to.include('{"weight":100,"for":"90m"}');
    expect(specSchema.parse(JSON.parse(stored))).to.deep.equal({
      rollout,
      analysis,
    });
  });

  it("take every weight with two decimals", () => {
    for (let cents = 1; cents <= 10_000; cents += 1)
      expect(
        specSchema.safeParse({
          rollout: { steps: [{ weight: cents / 100, for: "1s" }] },
          analysis: {},
        }).success,
        `${cents / 100}`,
      ).to.equal(true);
  });

  for (const [steps, problem] of [
    ["[]", "rollout.steps is []: give at least one step, such as {weight: 2"],
    ["25", "rollout.steps is 25: give steps such as [{weight: 2, for: 60s}"],
    ["[25]", "rollout.steps[0] is 25: give {weight, for, requests, check} or"],
    [
      "[{weight: 25, for: 1m}, {pause: true}, {weight: 10, for: 1m}]",
      "the weight goes down from 25 to 10: give at least 25, because a rollout only grows until it is aborted",
    ],
    [
      "[{weight: -1, for: 1m}]",
      "rollout.steps[0].weight is -1: give a percentage from 0 to 100 with at most two decimals, such as 7.5",
    ],
    ["[{weight: 101, for: 1m}]", "rollout.steps[0].weight is 101: give a per"],
    ["[{weight: 1.005, for: 1m}]", "rollout.steps[0].weight is 1.005: give a"],
    ["[{weight: 5%, for: 1m}]", 'rollout.steps[0].weight is "5%": give a perc'],
    [
      "[{weight: 5, for: 60}]",
      "rollout.steps[0].for is 60: give a duration such as 500ms, 5s or 2m: how long the step lasts at least",
    ],
    ["[{weight: 5}]", "a step of weight 5 would end at once: give for, requ"],
    ["[{weight: 5, for: 0s}]", "a step of weight 5 would end at once: give"],
    ["[{weight: 0}]", "a step of weight 0 would end at once: give check or"],
    [
      "[{weight: 0, for: 1m, requests: 5}]",
      "a step of weight 0 counts no requests: give check or for instead",
    ],
    ["[{weight: 0, for: 1m}]", "no step has a weight above 0: give one, or no"],
    ["[{pause: true}]", "no step has a weight above 0: give one, or no requ"],
    [
      "[{weight: 5, for: 1m, check: ./smoke}]",
      "check belongs in a step of weight 0: give it one",
    ],
    ["[{for: 1m}]", "a step has neither weight nor pause: give {weight, for"],
    ["[{pause: 5m}]", 'rollout.steps[0].pause is "5m": give true, or leave'],
    ["[{pause: false}]", "rollout.steps[0].pause is false: give true, or le"],
    ["[{pause: true, for: 1m}]", "a pause has no other fields: give {pause: "],
    [
      "[{weight: 5, four: 1m}]",
      "rollout.steps[0].four is unknown: did you mean for? Give weight, for, requests, check, pause",
    ],
  ] as const)
    it(`reject the steps ${steps}`, () => {
      const problems = problemsOf(`rollout:\n  steps: ${steps}\n`);
      expect(problems).to.have.length(1);
      expect(problems[0]).to.satisfy((text: string) =>
        text.startsWith(`serin.yml:4: ${problem}`),
      );
    });

  for (const [line, problem] of [
    ["rollout: {match: {}}", "rollout.match is {}: give {header}, {cookie}"],
    ["rollout: {match: {header: a b}}", 'rollout.match.header is "a b": give'],
    ["rollout: {sticky: cookie}", "rollout.sticky is unknown: give steps, m"],
    ["analysis: {error: {on: abort}}", "analysis.error is unknown: did you"],
    [
      "analysis: {errors: {on: stop}}",
      'analysis.errors.on is "stop": give one',
    ],
    ["analysis: {harm: {requests: 0}}", "analysis.harm.requests is 0: give a"],
    [
      "analysis: {insufficient: {on: pause}}",
      'analysis.insufficient.on is "pause": give one of hold, promote, abort',
    ],
  ] as const)
    it(`reject ${line}`, () => {
      const problems = problemsOf(line);
      expect(problems).to.have.length(1);
      expect(problems[0]).to.satisfy((text: string) =>
        text.startsWith(`serin.yml:3: ${problem}`),
      );
    });
});
