import { readdir, readFile } from "node:fs/promises";
import type { AppLocation } from "./find-app.js";

const CGROUPS = "/sys/fs/cgroup";

/**
 * The pids of the app: its process, all that descend from it, and what else is in its cgroup (version 2). Where the system
 * does not show these, the process alone.
 */
export async function listProcesses(
  { pid, cgroup }: AppLocation,
  cgroups = CGROUPS,
): Promise<number[]> {
  const pids = new Set([pid]);
  // A Set's iterator reaches what is added on the way.
  for (const parent of pids)
    for (const child of await listChildren(parent)) pids.add(child);
  if (cgroup !== undefined)
    for (const member of await readPids(`${cgroups}${cgroup}/cgroup.procs`))
      pids.add(member);
  return [...pids];
}

/** CPU time of all processes that the cgroup ever had; undefined without version 2 of cgroups. */
export async function readCgroupCpuMs(
  cgroup: string,
  cgroups = CGROUPS,
): Promise<number | undefined> {
  const usage = await readOrEmpty(`${cgroups}${cgroup}/cpu.stat`);
  const usec = /^usage_usec (\d+)$/m.exec(usage)?.[1];
  return usec === undefined ? undefined : Number(usec) / 1000;
}

/** Each thread has children of its own. */
async function listChildren(pid: number): Promise<number[]> {
  const tasks = await readdir(`/proc/${pid}/task`).catch(() => []);
  const children = tasks.map((task) =>
    readPids(`/proc/${pid}/task/${task}/children`),
  );
  return (await Promise.all(children)).flat();
}

async function readPids(path: string): Promise<number[]> {
  return (await readOrEmpty(path))
    .split(/\s+/)
    .map(Number)
    .filter((pid) => pid > 0);
}

/** Processes end at any time, and not every system has these files. */
async function readOrEmpty(path: string): Promise<string> {
  return await readFile(path, "utf8").catch(() => "");
}
