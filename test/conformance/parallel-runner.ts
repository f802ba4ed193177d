import type { Case } from "./case.js";
import type { CaseRunner } from "./case-runner.js";

/** Cases that run at the same time: most of them spend their time waiting. */
const RUNNERS = 4;
/** How many of the cases that follow the requested one are started with it. */
const AHEAD = 3 * RUNNERS;

/** Runs cases in parallel, in about the order in which their results are requested. */
export class ParallelRunner {
  readonly #cases: readonly Case[];
  readonly #runners: readonly CaseRunner[];
  readonly #free: CaseRunner[];
  readonly #waiting: ((runner: CaseRunner) => void)[] = [];
  readonly #results = new Map<Case, Promise<void>>();
  #isClosed = false;

  constructor(cases: readonly Case[], createRunner: () => CaseRunner) {
    this.#cases = cases;
    this.#runners = Array.from({ length: RUNNERS }, createRunner);
    this.#free = [...this.#runners];
  }

  async open(): Promise<void> {
    for (const runner of this.#runners) await runner.open();
  }

  /** Waits until a case has run. @throws Fault, or the error that kept the case from running */
  async resultOf(wanted: Case): Promise<void> {
    const first = this.#cases.indexOf(wanted);
    for (const next of this.#cases.slice(first, first + AHEAD))
      void this.#begin(next);
    await this.#begin(wanted);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const runner of this.#runners) await runner.close();
    await Promise.allSettled(this.#results.values());
  }

  #begin(testCase: Case): Promise<void> {
    let result = this.#results.get(testCase);
    if (result === undefined) {
      result = this.#run(testCase);
      // Its result may never be requested.
      result.catch(() => undefined);
      this.#results.set(testCase, result);
    }
    return result;
  }

  async #run(testCase: Case): Promise<void> {
    const runner =
      this.#free.pop() ??
      (await new Promise<CaseRunner>((resolve) => this.#waiting.push(resolve)));
    try {
      if (!this.#isClosed) await runner.run(testCase);
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free.push(runner);
      else next(runner);
    }
  }
}
