const { existsSync } = require("node:fs");
const { availableParallelism } = require("node:os");

/** Mocha adds the files that it is told to those that its configuration names: told any, it is to run these alone. */
const isTold = process.argv.some((word) => word.endsWith(".test.js"));

/** Those with the longest files first, so that none of them is what all wait for at the end. */
const SUITES = [
  "conformance",
  "system",
  "fuzz",
  "browser",
  "integration",
  "unit",
].filter((suite) => existsSync(`dist/test/${suite}`));

module.exports = {
  ...(isTold
    ? {}
    : { spec: SUITES.map((suite) => `dist/test/${suite}/**/*.test.js`) }),
  require: ["dist/test/support/mocha.js"],
  parallel: true,
  // Tests wait more than they compute.
  jobs: 2 * availableParallelism(),
  "forbid-only": true,
  "forbid-pending": false,
  "check-leaks": true,
  timeout: 30000,
};
