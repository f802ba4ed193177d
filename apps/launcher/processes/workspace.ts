import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";

/** The temporary folder of a run. Mails and logs are for people, the rest for the programs. */
export interface Workspace {
  directory: string;
  mails: string;
  logs: string;
  pids: string;
  redis: string;
}

export function openWorkspace(tempDirectory: string): Workspace {
  const directory = mkdtempSync(join(tempDirectory, "serin-"));
  const open = (name: string) => {
    const path = join(directory, name);
    mkdirSync(path);
    return path;
  };
  return {
    directory,
    mails: open("mails"),
    logs: open("logs"),
    pids: open("pids"),
    redis: open("redis"),
  };
}

/** Removes the folder, or with `keepForPeople` everything except mails and logs. */
export function clearWorkspace(
  workspace: Workspace,
  keepForPeople: boolean,
): void {
  const { directory, pids, redis } = workspace;
  for (const path of keepForPeople ? [pids, redis] : [directory])
    rmSync(path, { recursive: true, force: true });
}
