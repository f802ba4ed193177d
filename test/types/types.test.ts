import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect } from "chai";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));

/** @returns what the compiler says of a project */
function check(project: string): Promise<string> {
  const args = ["node_modules/typescript/bin/tsc", "--project", project];
  return new Promise((resolve) =>
    execFile(process.execPath, args, { cwd: ROOT }, (_err, stdout, stderr) =>
      resolve(stdout + stderr),
    ),
  );
}

/** A test, so that the check runs beside the other tests: it takes one of two cores for a quarter of a minute. */
describe("types", function () {
  this.timeout(180_000);

  for (const project of [".", "apps/monitor/page"])
    it(`are right in ${project}`, async () => {
      expect(await check(project)).to.equal("");
    });
});
