const { appendFileSync, writeFileSync } = require("node:fs");
const { join, relative } = require("node:path");
const { reporters } = require("mocha");

/**
 * Mocha's own reporter; for .ci/run it also leaves files in the folder MOCHA_REPORT: `counts` (passed failed skipped),
 * `failures` (what failed, as it happens), `failed-files` (a line for each failed test; none for a failed hook, which keeps
 * other tests from running) and `files` (milliseconds and path of each file).
 */
module.exports = class CountingReporter extends reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    const pathOf = (name) => join(process.env.MOCHA_REPORT, name);
    const msByFile = new Map();
    const addTime = ({ file, duration = 0 }) => {
      if (file !== undefined)
        msByFile.set(file, (msByFile.get(file) ?? 0) + duration);
    };
    runner.on("test end", addTime);
    runner.on("hook end", addTime);
    runner.on("fail", (test, err) => {
      const what = String(err.stack ?? err.message ?? err).slice(0, 2000);
      const text = `${test.fullTitle()}\n${what}`.replaceAll("\n", "\n    ");
      appendFileSync(pathOf("failures"), `${text}\n`);
      if (test.type === "test")
        appendFileSync(pathOf("failed-files"), `${relative(".", test.file)}\n`);
    });
    runner.once("end", () => {
      const { passes, failures, pending } = this.stats;
      writeFileSync(pathOf("counts"), `${passes} ${failures} ${pending}\n`);
      for (const [file, ms] of msByFile)
        appendFileSync(pathOf("files"), `${ms}\t${relative(".", file)}\n`);
    });
  }
};
