import { execFileSync } from "node:child_process";
import { cpSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { releaseVersion } from "../../lib/program/release.js";
import { createTempDirectory } from "../support/temp-directory.js";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));

/** A clone with as much in it as the programs are built of. */
function createClone(): string {
  const clone = createTempDirectory();
  for (const part of [
    "apps",
    "lib",
    "scripts",
    "package.json",
    "tsconfig.json",
  ])
    cpSync(join(ROOT, part), join(clone, part), { recursive: true });
  symlinkSync(join(ROOT, "node_modules"), join(clone, "node_modules"));
  return clone;
}

describe("npx serin", function () {
  this.timeout(180_000);

  it("runs after each build, not only when npx links it for the first time", () => {
    const cwd = createClone();
    const env = {
      PATH: process.env.PATH,
      npm_config_cache: createTempDirectory(),
    };
    const run = (command: string, ...args: string[]) =>
      execFileSync(command, args, { cwd, env, encoding: "utf8" });
    for (const build of [1, 2]) {
      run("npm", "run", "build", "--silent");
      expect(
        run("npx", "--no-install", "serin", "--version").trim(),
        `after build ${build}`,
      ).to.equal(releaseVersion());
    }
  });
});
