/**
 * Mocha reporter: `spec` on the console, and a JUnit-style report in the file of the reporter option `output`.
 *
 *     mocha --reporter jenkins/mocha-report.cjs --reporter-option output=artifacts/reports/junit.xml
 */
const { Spec, XUnit } = require("mocha").reporters;

module.exports = class MochaReport extends Spec {
  #file;

  constructor(runner, options) {
    super(runner, options);
    this.#file = new XUnit(runner, options);
  }

  done(failures, callback) {
    this.#file.done(failures, callback);
  }
};
