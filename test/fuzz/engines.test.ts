import { CaseRunner } from "../conformance/case-runner.js";
import { describeEngine, ENGINES } from "../support/products/engines.js";
import { redisUrl } from "../support/redis/redis-server.js";
import { fuzz } from "./arbitrary-trial.js";
import { runClientTrial } from "./client-trial.js";
import { readFoundTrials } from "./found-trials.js";
import type { Trial } from "./trial.js";
import { runUpstreamTrial } from "./upstream-trial.js";

/** Short enough for the whole test suite. RUNS overrides it. */
const SHORT = { runs: 400, limitMs: 15_000 };
const HOUR_MS = 3_600_000;
/** Extra time to shrink a failing input. */
const SHRINKING_MS = 120_000;

const { SEED, RUNS } = process.env;
const seed = Number(SEED ?? Date.now() % 2 ** 31);
const { runs, limitMs } =
  RUNS === undefined ? SHORT : { runs: Number(RUNS), limitMs: HOUR_MS };

for (const engine of ENGINES) {
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

    it(`does not crash, hang or frame a message in two ways (SEED=${seed} RUNS=${runs})`, async () => {
      const count = await fuzz(run, { seed, runs, limitMs });
      console.log(`      ${count} trials`);
    }).timeout(limitMs + SHRINKING_MS);
  });
}
