import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import { parseJson } from "../redis/stream-entry.js";
import type { Environment } from "../settings/settings.js";
import { isRunning } from "./process-lock.js";
import { runtimeFolders } from "./user-folders.js";

const schema = z.object({
  service: z.string(),
  /** The path of its serin.yml. */
  file: z.string(),
  pid: z.number(),
  /** Tells the process from a later one with its pid; null where the system does not say. */
  startedAt: z.string().nullable(),
  /** By which `serin` finds it. */
  settings: z.object({
    /** May hold a password. */
    REDIS_URL: z.string(),
    KEY_PREFIX: z.string(),
    FLAG_NAME: z.string(),
    MONITOR_URL: z.string(),
  }),
});

/** A system that `serin dev` runs for this user. */
export type RunningSystem = z.infer<typeof schema>;

/**
 * Lets `serin` find a system of this process, by a file that only the user can read. A second system of the same name gets
 * one of its own.
 *
 * @returns what removes the file
 */
export function announceSystem(
  system: Pick<RunningSystem, "service" | "file" | "settings">,
  env: Environment,
): () => void {
  const { pid } = process;
  const [folder] = runtimeFolders(env);
  mkdirSync(folder, { recursive: true });
  chmodSync(folder, 0o700);
  const first = join(folder, `${system.service}.json`);
  const path =
    readSystem(first) === undefined
      ? first
      : join(folder, `${system.service}-${pid}.json`);
  const content = { ...system, pid, startedAt: readStart(pid) };
  const part = `${path}.${pid}`;
  writeFileSync(part, JSON.stringify(content), { mode: 0o600 });
  renameSync(part, path);
  return () => rmSync(path, { force: true });
}

/** The systems whose processes run, by name. */
export function readRunningSystems(env: Environment): RunningSystem[] {
  const systems = runtimeFolders(env).flatMap((folder) =>
    listFolder(folder)
      .filter((name) => name.endsWith(".json"))
      .flatMap((name) => readSystem(join(folder, name)) ?? []),
  );
  return systems.sort(
    (a, b) =>
      a.service.localeCompare(b.service) || a.file.localeCompare(b.file),
  );
}

/** Undefined for what a killed process has left behind. */
function readSystem(path: string): RunningSystem | undefined {
  const { data } = schema.safeParse(parseJson(readText(path)));
  const isAlive =
    data !== undefined &&
    isRunning(data.pid) &&
    readStart(data.pid) === data.startedAt;
  return isAlive ? data : undefined;
}

/** In clock ticks since the machine's start. */
function readStart(pid: number): string | null {
  const stat = readText(`/proc/${pid}/stat`);
  // The second field, the command in brackets, can hold anything.
  const afterCommand = stat?.slice(stat.lastIndexOf(")") + 2).split(" ");
  return afterCommand?.[19] ?? null;
}

function listFolder(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return []; // Nothing was ever announced.
  }
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
