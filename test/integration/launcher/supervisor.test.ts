import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import type { ProgramSpec } from "../../../apps/launcher/processes/child.js";
import { LaunchError } from "../../../apps/launcher/config.js";
import { Reaper } from "../../../apps/launcher/processes/reaper.js";
import { Supervisor } from "../../../apps/launcher/processes/supervisor.js";
import { onCleanup } from "../../support/cleanup.js";
import { isRunning } from "../../support/programs/stand-ins.js";
import { createTempDirectory } from "../../support/temp-directory.js";
import { waitFor } from "../../support/wait-for.js";

const FOR_EVER = "setInterval(() => undefined, 1000);";
const NEVER_ABORTED = new AbortController().signal;

/** A supervisor of a script that reports its readiness in its log. */
function supervise(script: string) {
  const directory = createTempDirectory();
  const logFile = join(directory, "program.log");
  const pidFile = join(directory, "program.pid");
  const spec: ProgramSpec = {
    name: "program",
    command: process.execPath,
    args: ["-e", script],
    env: { PATH: process.env.PATH },
    logFile,
    pidFile,
    isReady: () =>
      Promise.resolve(readFileSync(logFile, "utf8").includes("ready")),
  };
  const reports: string[] = [];
  const reaper = new Reaper();
  const supervisor = new Supervisor(spec, reaper, (kind, sentence) =>
    reports.push(`${kind}: ${sentence}`),
  );
  onCleanup(async () => {
    await supervisor.stop(0);
    await reaper.close();
  });
  const readPid = () => Number(readFileSync(pidFile, "utf8"));
  return { supervisor, reports, readPid, spec };
}

describe("supervisor", () => {
  it("resolves its start when the program is ready and its pid is written", async () => {
    const { supervisor, readPid } = supervise(
      `console.log("ready"); ${FOR_EVER}`,
    );
    await supervisor.start(NEVER_ABORTED);
    expect(isRunning(readPid())).to.equal(true);
  });

  it("writes the new pid after a restart", async () => {
    const { supervisor, readPid, reports } = supervise(
      `console.log("ready"); ${FOR_EVER}`,
    );
    await supervisor.start(NEVER_ABORTED);
    const first = readPid();
    process.kill(first, "SIGKILL");
    await waitFor("its return", () => reports.at(-1)?.startsWith("back"));
    expect(readPid()).not.to.equal(first);
    expect(isRunning(readPid())).to.equal(true);
    expect(reports).to.deep.equal([
      "died: program was killed by SIGKILL; restarting in 0.5 s. Last log line: ready",
      "back: program is ready again",
    ]);
  });

  it("doubles the delay before each further restart", async () => {
    const { supervisor, readPid, reports } = supervise(
      `console.log(JSON.stringify({ level: "info", msg: "ready" })); ${FOR_EVER}`,
    );
    await supervisor.start(NEVER_ABORTED);
    for (const count of [1, 2]) {
      process.kill(readPid(), "SIGKILL");
      await waitFor("its return", () => reports.length === 2 * count);
    }
    const died = (pause: string) =>
      `died: program was killed by SIGKILL; restarting in ${pause} s. Last log line: info: ready`;
    const back = "back: program is ready again";
    expect(reports).to.deep.equal([died("0.5"), back, died("1"), back]);
  });

  it("rejects a program that ends before it is ready, without a restart", async () => {
    const { supervisor, reports, spec } = supervise(
      'console.log("so far so good"); console.error("no"); process.exit(1);',
    );
    const failure = await supervisor
      .start(NEVER_ABORTED)
      .catch((err: unknown) => err);
    expect(failure).to.be.instanceOf(LaunchError);
    expect((failure as Error).message).to.equal(
      `program ended with status 1. Last log lines:\n  | so far so good\n  | no\nFull log: ${spec.logFile}`,
    );
    expect(reports).to.deep.equal([]);
  });

  it("reports a program that does not exist", async () => {
    const { spec } = supervise("");
    const reaper = new Reaper();
    onCleanup(() => reaper.close());
    const missing = { ...spec, command: "/nowhere/redis-server" };
    const supervisor = new Supervisor(missing, reaper, () => undefined);
    const failure = await supervisor
      .start(NEVER_ABORTED)
      .catch((err: unknown) => err);
    expect((failure as Error).message).to.match(
      /^program could not be run: spawn \/nowhere\/redis-server ENOENT\./,
    );
  });

  it("ends the start when its signal aborts", async () => {
    const { supervisor } = supervise(FOR_EVER);
    const giveUp = new AbortController();
    const start = supervisor.start(giveUp.signal);
    giveUp.abort(new Error("enough"));
    expect(await start.catch((err: unknown) => err)).to.have.property(
      "message",
      "enough",
    );
  });

  it("kills a program that does not stop within its grace", async () => {
    const { supervisor, readPid, reports } = supervise(
      `process.on("SIGTERM", () => undefined); console.log("ready"); ${FOR_EVER}`,
    );
    await supervisor.start(NEVER_ABORTED);
    await supervisor.stop(50);
    expect(isRunning(readPid())).to.equal(false);
    expect(reports).to.deep.equal([]);
  });

  it("can be stopped during the delay before a restart", async () => {
    const { supervisor, readPid, reports } = supervise(
      `console.log("ready"); ${FOR_EVER}`,
    );
    await supervisor.start(NEVER_ABORTED);
    process.kill(readPid(), "SIGKILL");
    await waitFor("its death", () => reports.length === 1);
    await supervisor.stop(1000);
    expect(isRunning(readPid())).to.equal(false);
    expect(reports).to.have.length(1);
  });
});
