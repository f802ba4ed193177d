import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { createAppFinder } from "../../../apps/agent/find-app.js";
import { createTempDirectory } from "../../support/temp-directory.js";

const LIMITS = { timeoutMs: 5000, signal: new AbortController().signal };

describe("agent pidfile", () => {
  const contents: [string, number | null][] = [
    ["123", 123],
    ["123\n", 123],
    [" 123\n/var/lib/app\n", 123],
    ["", null],
    ["0\n", null],
    ["-1", null],
    ["12a", null],
  ];
  for (const [content, pid] of contents) {
    it(`yields ${pid ?? "no pid"} for ${JSON.stringify(content)}`, async () => {
      const path = join(createTempDirectory(), "app.pid");
      writeFileSync(path, content);
      const findApp = createAppFinder({ kind: "pidfile", path });
      expect(await findApp(LIMITS)).to.deep.equal(
        pid === null ? null : { pid },
      );
    });
  }

  it("yields no pid while it is missing, and is read each time", async () => {
    const path = join(createTempDirectory(), "app.pid");
    const findApp = createAppFinder({ kind: "pidfile", path });
    expect(await findApp(LIMITS)).to.be.null;
    writeFileSync(path, "123");
    expect(await findApp(LIMITS)).to.deep.equal({ pid: 123 });
    writeFileSync(path, "124");
    expect(await findApp(LIMITS)).to.deep.equal({ pid: 124 });
  });
});
