import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { readServiceFile } from "../../../lib/service-file.js";
import { createTempDirectory } from "../../support/temp-directory.js";

const readDocument = (name: string) =>
  readFileSync(new URL(`../../../../docs/${name}`, import.meta.url), "utf8");
const DOCUMENT = readDocument("your-service.md") + readDocument("rollouts.md");
const REQUIRED = "service: shop\nrun: node .\n";

describe("docs/your-service.md and docs/rollouts.md", () => {
  const examples = [...DOCUMENT.matchAll(/^```yaml\n(.*?)^```/gms)].map(
    ([, yaml = ""]) => (yaml.startsWith("service:") ? yaml : REQUIRED + yaml),
  );

  it("shows parts of serin.yml that are valid", () => {
    expect(examples).to.have.length.above(8);
    for (const example of examples) {
      const path = join(createTempDirectory(), "serin.yml");
      writeFileSync(path, example);
      expect(() => readServiceFile(path), example).not.to.throw();
    }
  });
});
