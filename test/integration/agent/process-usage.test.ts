import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import {
  listProcesses,
  readCgroupCpuMs,
} from "../../../apps/agent/process-tree.js";
import {
  forgetUsage,
  readUsage,
  type ProcessUsage,
} from "../../../apps/agent/process-usage.js";
import { onCleanup } from "../../support/cleanup.js";
import { createTempDirectory } from "../../support/temp-directory.js";
import { waitFor } from "../../support/wait-for.js";

/** The kernel measures the age of a process in steps of 10 ms. */
const CLOCK_SLACK_MS = 40;
const LAST_PID = "/proc/sys/kernel/ns_last_pid";

async function start(
  command: string,
  args: string[],
  options: { detached?: boolean } = {},
): Promise<ChildProcess> {
  const child = spawn(command, args, {
    stdio: ["ignore", "pipe", "ignore"],
    ...options,
  });
  await once(child, "spawn");
  onCleanup(() => end(child));
  return child;
}

async function untilProc(
  pid: number,
  file: string,
  content: RegExp,
): Promise<void> {
  const path = `/proc/${pid}/${file}`;
  await waitFor(`${path} to match ${content.source}`, () =>
    content.test(readFileSync(path, "utf8")),
  );
}

function cpuOf({ pid, cpuMs }: ProcessUsage): number {
  return cpuMs.get(pid)!;
}

/** The kernel may report no memory for a process that has just started. */
async function firstUsage({ pid }: ChildProcess): Promise<ProcessUsage> {
  return await waitFor(`the usage of ${pid!}`, () => readUsage({ pid: pid! }));
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill("SIGKILL");
  await exited;
}

describe("agent process usage", () => {
  afterEach(forgetUsage);

  it("grows with the usage of the process", async () => {
    const busy = await start(process.execPath, ["-e", "for (;;);"]);
    const first = await firstUsage(busy);
    expect(first.pid).to.equal(busy.pid);
    const later = await waitFor("100 ms of CPU", async () => {
      const usage = await readUsage({ pid: first.pid });
      return cpuOf(usage!) >= cpuOf(first) + 100 && usage;
    });
    expect(later.rssBytes).to.be.above(1_000_000);
    expect(later.elapsedMs).to.be.at.least(first.elapsedMs);
    expect(later.readAt).to.be.above(first.readAt);
  });

  it("includes the process's children and their children", async () => {
    const burn = `"${process.execPath}" -e 'for (;;);'`;
    const script = `${burn} & sh -c "${burn.replaceAll('"', '\\"')} & wait" & wait`;
    const parent = await start("sh", ["-c", script], { detached: true });
    onCleanup(() => process.kill(-parent.pid!, "SIGKILL"));
    await waitFor("CPU of two processes", async () => {
      const usage = await readUsage({ pid: parent.pid! });
      const busy = [...(usage?.cpuMs ?? [])].filter(([, ms]) => ms >= 50);
      return busy.length === 2 && !busy.some(([pid]) => pid === parent.pid);
    });
  });

  it("includes what else is in the cgroup, and its CPU time", async () => {
    const [main, stranger] = [
      await start("sleep", ["60"]),
      await start("sleep", ["60"]),
    ];
    const cgroups = createTempDirectory();
    writeFileSync(join(cgroups, "cgroup.procs"), `0\n${stranger.pid}\n`);
    writeFileSync(
      join(cgroups, "cpu.stat"),
      "usage_usec 2500000\nuser_usec 2000000\n",
    );
    const app = { pid: main.pid!, cgroup: "/" };
    expect(await listProcesses(app, cgroups)).to.deep.equal([
      main.pid,
      stranger.pid,
    ]);
    expect(await readCgroupCpuMs("/", cgroups)).to.equal(2500);
    expect(await readCgroupCpuMs("/absent", cgroups)).to.be.undefined;
  });

  it("is undefined after the process has ended", async () => {
    const child = await start("sleep", ["60"]);
    await firstUsage(child);
    await end(child);
    expect(await readUsage({ pid: child.pid! })).to.be.undefined;
    expect(await readUsage({ pid: child.pid! })).to.be.undefined;
  });

  it("is undefined for a zombie", async function () {
    if (process.platform !== "linux") this.skip();
    // The program that replaces the shell never waits for the shell's child.
    const script = "sleep 60 & echo $!; exec sleep 60";
    const parent = await start("sh", ["-c", script]);
    const [output] = (await once(parent.stdout!, "data")) as [Buffer];
    await untilProc(parent.pid!, "comm", /^sleep$/m);
    const pid = Number(output);
    process.kill(pid, "SIGKILL");
    await untilProc(pid, "stat", /\) Z /);
    expect(await readUsage({ pid })).to.be.undefined;
  });

  it("distinguishes a process from an earlier one with the same pid", async function () {
    const before = await start("sleep", ["60"]);
    await waitFor("some age", async () => {
      const usage = await firstUsage(before);
      return usage.elapsedMs >= 5 * CLOCK_SLACK_MS;
    });
    await end(before);
    const after = await startWithPid(before.pid!);
    // Only root on Linux may set the next pid. On a busy machine, another process may get it.
    if (after === undefined) this.skip();
    const { elapsedMs } = await firstUsage(after.child);
    const atMostMs = performance.now() - after.startedAt + CLOCK_SLACK_MS;
    expect(elapsedMs).to.be.below(atMostMs);
  });
});

async function startWithPid(
  pid: number,
): Promise<{ child: ChildProcess; startedAt: number } | undefined> {
  for (let attempt = 0; attempt < 20; attempt++) {
    try {
      writeFileSync(LAST_PID, String(pid - 1));
    } catch {
      return undefined;
    }
    const startedAt = performance.now();
    const child = await start("sleep", ["60"]);
    if (child.pid === pid) return { child, startedAt };
    await end(child);
  }
  return undefined;
}
