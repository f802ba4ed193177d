const { appendFileSync, writeFileSync } = require("node:fs");
const { reporters } = require("mocha");

/**
 * Mocha's own reporter; for .ci/run it also leaves `passed failed skipped` in the file MOCHA_COUNTS, and each failure, as it
 * happens, in MOCHA_FAILURES.
 */
module.exports = class CountingReporter extends reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    runner.on("fail", (test, err) => {
      const what = String(err.stack ?? err.message ?? err).slice(0, 2000);
      const told = `${test.fullTitle()}\n${what}`.replaceAll("\n", "\n    ");
      appendFileSync(process.env.MOCHA_FAILURES, `${told}\n`);
    });
    runner.once("end", () => {
      const { passes, failures, pending } = this.stats;
      const counts = `${passes} ${failures} ${pending}\n`;
      writeFileSync(process.env.MOCHA_COUNTS, counts);
    });
  }
};
