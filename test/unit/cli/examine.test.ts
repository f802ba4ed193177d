import { mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { examine } from "../../../apps/cli/release/packing/examine.js";
import { createTempDirectory } from "../../support/temp-directory.js";

describe("examination of a release", () => {
  it("accepts links to folders that form a circle", () => {
    const stage = createTempDirectory();
    mkdirSync(join(stage, "a/b"), { recursive: true });
    symlinkSync("..", join(stage, "a/up"));
    symlinkSync("../..", join(stage, "a/b/up"));
    expect(examine(stage)).to.equal(undefined);
  });

  it("rejects a link that leaves the release", () => {
    const stage = createTempDirectory();
    symlinkSync("..", join(stage, "up"));
    expect(() => examine(stage)).to.throw("point outside of it: up → ..");
  });
});
