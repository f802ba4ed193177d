import { CaseRunner } from "../conformance/case-runner.js";
import { describeEngine, type ENGINES } from "../support/products/engines.js";
import { redisUrl } from "../support/redis/redis-server.js";
import { fuzz } from "./arbitrary-trial.js";
import { runClientTrial } from "./client-trial.js";
import { readFoundTrials } from "./found-trials.js";
import type { Trial } from "./trial.js";
import { runUpstreamTrial } from "./upstream-trial.js";

/** `npm test` repeats the same trials. `npm run fuzz` runs more of them, and others each time. */
const FIXED = { seed: 1, runs: 400 };
const TRIAL_LIMIT_MS = 1000;
/** Extra time to shrink a failing input. */
const SHRINKING_MS = 120_000;

/** SEED is a number, or `random`. */
const { SEED, RUNS } = process.env;
const seed =
  SEED === "random" ? Date.now() % 2 ** 31 : Number(SEED ?? FIXED.seed);
const runs = Number(RUNS ?? FIXED.runs);

/** Defines the regressions and a run of arbitrary trials, on one of our engines. */
export function describeFuzz(engine: (typeof ENGINES)[number]): void {
  describe(`fuzzing the engine ${engine}`, () => {
    let runner: CaseRunner;

    before(async () => {
      runner = new CaseRunner(describeEngine(engine), redisUrl());
      await runner.open();
    });

    after(() => runner.close());

    const run = (trial: Trial) =>
      runner.run({
        name: JSON.stringify(trial),
        run: (harness) =>
          trial.from === "client"
            ? runClientTrial(harness, trial)
            : runUpstreamTrial(harness, trial),
      });

    for (const { name, trial } of readFoundTrials())
      it(`regression: ${name}`, () => run(trial));

    it(`does not crash, hang or frame a message in two ways (SEED=${seed} RUNS=${runs})`, () =>
      fuzz(run, { seed, runs })).timeout(runs * TRIAL_LIMIT_MS + SHRINKING_MS);
  });
}
