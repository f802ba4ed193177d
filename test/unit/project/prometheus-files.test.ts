import { fileURLToPath } from "node:url";
import { skipWithout } from "../../support/needed-program.js";
import { promtool, PROMTOOL } from "../../support/promtool.js";

const fileOf = (name: string) =>
  fileURLToPath(
    new URL(`../../../../deploy/prometheus/${name}`, import.meta.url),
  );

describe("Prometheus files", () => {
  before(function () {
    skipWithout(this, PROMTOOL);
  });

  it("contain a valid configuration", () => {
    promtool(["check", "config", fileOf("prometheus.yml")]);
  });

  it("contain valid rules", () => {
    promtool(["check", "rules", fileOf("serin.rules.yml")]);
  });

  it("alert exactly when they should", () => {
    promtool(["test", "rules", fileOf("serin.rules.test.yml")]);
  });
});
