import { fileURLToPath } from "node:url";
import { skipWithout } from "../../support/needed-program.js";
import { promtool, PROMTOOL } from "../../support/promtool.js";

const fileOf = (name: string) =>
  fileURLToPath(
    new URL(`../../../../deploy/prometheus/${name}`, import.meta.url),
  );

describe("the files for Prometheus", () => {
  before(function () {
    skipWithout(this, PROMTOOL);
  });

  it("are an example of a configuration that Prometheus takes", () => {
    promtool(["check", "config", fileOf("prometheus.yml")]);
  });

  it("are rules that hold to Prometheus's own", () => {
    promtool(["check", "rules", fileOf("serin.rules.yml")]);
  });

  it("alert when they should, and else not", () => {
    promtool(["test", "rules", fileOf("serin.rules.test.yml")]);
  });
});
