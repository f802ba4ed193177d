const { appendFileSync, writeFileSync } = require("node:fs");
const { reporters } = require("mocha");

/**
 * Mocha's own reporter; for .ci/run it also leaves `passed failed skipped` in the file MOCHA_COUNTS, each failure, as it
 * happens, in MOCHA_FAILURES, and for each failed test a line with its file in MOCHA_FAILED_FILES. A hook that fails has no
 * such line: it keeps other tests from running.
 */
module.exports = class CountingReporter extends reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    runner.on("fail", (test, err) => {
      const what = String(err.stack ?? err.message ?? err).slice(0, 2000);
      const told = `${test.fullTitle()}\n${what}`.replaceAll("\n", "\n    ");
      appendFileSync(process.env.MOCHA_FAILURES, `${told}\n`);
      if (test.type === "test")
        appendFileSync(process.env.MOCHA_FAILED_FILES, `${test.file}\n`);
    });
    runner.once("end", () => {
      const { passes, failures, pending } = this.stats;
      const counts = `${passes} ${failures} ${pending}\n`;
      writeFileSync(process.env.MOCHA_COUNTS, counts);
    });
  }
};
