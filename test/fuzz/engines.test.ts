import { Theatre } from "../conformance/theatre.js";
import { describeEngine, ENGINES } from "../support/products/engines.js";
import { redisUrl } from "../support/redis/redis-server.js";
import { fuzz } from "./arbitrary-trial.js";
import { playClientTrial } from "./client-trial.js";
import { readFoundTrials } from "./found-trials.js";
import type { Trial } from "./trial.js";
import { playUpstreamTrial } from "./upstream-trial.js";

/** What fits into a run of all tests, unless RUNS asks for more. */
const SHORT = { runs: 400, limitMs: 15_000 };
const HOUR_MS = 3_600_000;
/** A failure is played over and over until the smallest that fails is found. */
const SHRINKING_MS = 120_000;

const { SEED, RUNS } = process.env;
const seed = Number(SEED ?? Date.now() % 2 ** 31);
const { runs, limitMs } =
  RUNS === undefined ? SHORT : { runs: Number(RUNS), limitMs: HOUR_MS };

for (const engine of ENGINES) {
  describe(`whatever bytes come to the engine ${engine}`, () => {
    let theatre: Theatre;

    before(async () => {
      theatre = new Theatre(describeEngine(engine), redisUrl());
      await theatre.open();
    });

    after(() => theatre.close());

    const play = (trial: Trial) =>
      theatre.play({
        name: JSON.stringify(trial),
        run: (stage) =>
          trial.from === "client"
            ? playClientTrial(stage, trial)
            : playUpstreamTrial(stage, trial),
      });

    for (const { name, trial } of readFoundTrials())
      it(`found once: ${name}`, () => play(trial));

    it(`no crash, no hang, no two readings (SEED=${seed} RUNS=${runs})`, async () => {
      const played = await fuzz(play, { seed, runs, limitMs });
      console.log(`      ${played} trials`);
    }).timeout(limitMs + SHRINKING_MS);
  });
}
