const { existsSync, readdirSync } = require("node:fs");
const { availableParallelism } = require("node:os");

/** Mocha adds the files that it is told to those that its configuration names: told any, it is to run these alone. */
const isTold = process.argv.some((word) => word.endsWith(".test.js"));

/**
 * All files, those of each suite spread over the run: what computes (a browser, conformance) then runs beside what waits. Unit
 * tests fill the end. Backwards, since the longest files happen to have names late in the alphabet.
 */
function spread(suites) {
  const places = suites.flatMap((suite) => {
    const folder = `dist/test/${suite}`;
    if (!existsSync(folder)) return [];
    const files = readdirSync(folder, { recursive: true })
      .filter((file) => file.endsWith(".test.js"))
      .sort()
      .reverse();
    return files.map((file, i) => ({
      file: `${folder}/${file}`,
      place: suite === "unit" ? 1 : i / files.length,
    }));
  });
  return places.sort((a, b) => a.place - b.place).map(({ file }) => file);
}

module.exports = {
  ...(isTold
    ? {}
    : {
        spec: spread([
          "types",
          "conformance",
          "system",
          "browser",
          "fuzz",
          "integration",
          "unit",
        ]),
      }),
  require: ["dist/test/support/mocha.js"],
  parallel: true,
  // Tests wait more than they compute.
  jobs: 2 * availableParallelism(),
  "forbid-only": true,
  "forbid-pending": false,
  "check-leaks": true,
  timeout: 30000,
};
