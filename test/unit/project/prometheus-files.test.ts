import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { parse } from "yaml";
import * as z from "zod";
import { skipWithout } from "../../support/needed-program.js";
import { promtool, PROMTOOL } from "../../support/promtool.js";

const fileOf = (name: string) =>
  fileURLToPath(
    new URL(`../../../../deploy/prometheus/${name}`, import.meta.url),
  );

const rulesFile = z.object({
  groups: z.array(
    z.object({
      rules: z.array(
        z.object({
          alert: z.string().optional(),
          annotations: z.record(z.string(), z.string()).optional(),
        }),
      ),
    }),
  ),
});

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

  it("lead from each alert to its section of the documentation", async () => {
    const page = await readFile(fileOf("../../docs/monitoring.md"), "utf8");
    const rules = rulesFile
      .parse(parse(await readFile(fileOf("serin.rules.yml"), "utf8")))
      .groups.flatMap((group) => group.rules)
      .filter(({ alert }) => alert !== undefined);
    expect(rules).not.to.be.empty;
    for (const { alert = "", annotations } of rules) {
      expect(annotations?.runbook_url).to.equal(
        `https://git.example.com/serin/blob/main/docs/monitoring.md#${alert.toLowerCase()}`,
      );
      expect(page).to.include(`\n### ${alert}\n`);
    }
  });
});
