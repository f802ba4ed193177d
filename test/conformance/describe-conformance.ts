import { describeEngine, type ENGINES } from "../support/products/engines.js";
import { redisUrl } from "../support/redis/redis-server.js";
import { GROUPS } from "./groups.js";
import { ParallelRunner } from "./parallel-runner.js";
import { CaseRunner } from "./case-runner.js";

/** For a case and those that run before it. */
const TIMEOUT_MS = 60_000;

/** Defines a test for each case, on one of our engines. */
export function describeConformance(engine: (typeof ENGINES)[number]): void {
  describe(`conformance of the engine ${engine}`, () => {
    let runner: ParallelRunner;

    before(async () => {
      runner = new ParallelRunner(
        GROUPS.flatMap(({ cases }) => cases),
        () => new CaseRunner(describeEngine(engine), redisUrl()),
      );
      await runner.open();
    });

    after(() => runner.close());

    for (const { title, cases } of GROUPS)
      describe(title, () => {
        for (const testCase of cases)
          it(testCase.name, () => runner.resultOf(testCase)).timeout(
            testCase.timeoutMs ?? TIMEOUT_MS,
          );
      });
  });
}
