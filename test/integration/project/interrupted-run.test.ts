import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { answersPing } from "../../../apps/launcher/processes/redis-server.js";
import { onCleanup } from "../../support/cleanup.js";
import { createTempDirectory } from "../../support/temp-directory.js";
import { waitFor } from "../../support/wait-for.js";

const ROOT = fileURLToPath(new URL("../../../../", import.meta.url));

interface Running {
  redisUrl: string;
  workerPid: number;
  childPid: number;
}

/** A test that passes, and one that has started a program and does not end; it leaves a Running in `file`. */
function createSpec(directory: string, file: string): string {
  const spec = join(directory, "endless.test.js");
  writeFileSync(
    spec,
    `
    import { spawn } from "node:child_process";
    import { renameSync, writeFileSync } from "node:fs";
    it("passes", () => undefined);
    it("does not end", async () => {
      const { pid } = spawn("sleep", ["600"], { detached: true });
      const running = { redisUrl: process.env.TEST_REDIS_URL, workerPid: process.pid, childPid: pid };
      writeFileSync("${file}.new", JSON.stringify(running));
      renameSync("${file}.new", "${file}");
      await new Promise(() => undefined);
    }).timeout(600_000);
    `,
  );
  return spec;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe("a test run that is interrupted", () => {
  for (const signal of ["SIGINT", "SIGTERM"] as const)
    for (const mode of ["--parallel", "--no-parallel"])
      it(`ends by ${signal} with what it started (${mode})`, async () => {
        const directory = createTempDirectory();
        const file = join(directory, "running.json");
        const { TEST_REDIS_URL, ...env } = process.env;
        expect(TEST_REDIS_URL).to.be.a("string");
        const mocha = spawn(
          process.execPath,
          [
            "node_modules/mocha/bin/mocha.js",
            mode,
            createSpec(directory, file),
          ],
          { cwd: ROOT, env, stdio: "ignore" },
        );
        const ended = once(mocha, "exit");
        onCleanup(() => mocha.kill("SIGKILL"));
        await waitFor("the test to run", () => existsSync(file));
        const running = JSON.parse(readFileSync(file, "utf8")) as Running;
        const port = Number(new URL(running.redisUrl).port);
        expect(running.redisUrl).not.to.equal(TEST_REDIS_URL);
        expect(await answersPing(port)).to.equal(true);

        mocha.kill(signal);
        expect(await ended).to.deep.equal([null, signal]);
        await waitFor(
          "all that it started to be gone",
          async () =>
            ![running.workerPid, running.childPid].some(isAlive) &&
            !(await answersPing(port)),
        );
      });
});
