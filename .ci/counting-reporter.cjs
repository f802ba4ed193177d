const { writeFileSync } = require("node:fs");
const { reporters } = require("mocha");

/** Mocha's own reporter; it also leaves `passed failed skipped` in the file MOCHA_COUNTS, for .ci/run. */
module.exports = class CountingReporter extends reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    runner.once("end", () => {
      const { passes, failures, pending } = this.stats;
      const counts = `${passes} ${failures} ${pending}\n`;
      writeFileSync(process.env.MOCHA_COUNTS, counts);
    });
  }
};
