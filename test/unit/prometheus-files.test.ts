import { fileURLToPath } from "node:url";
import { promtool, skipWithoutPromtool } from "../support/promtool.js";

const fileOf = (name: string) =>
  fileURLToPath(new URL(`../../../deploy/prometheus/${name}`, import.meta.url));

describe("the files for Prometheus", () => {
  before(skipWithoutPromtool);

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
