import { randomUUID } from "node:crypto";
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
  type Stats,
} from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import { parseJson } from "../redis/stream-entry.js";
import type { Environment } from "../settings/settings.js";
import {
  identifyProcess,
  isStillRunning,
  processIdentity,
} from "./process-identity.js";
import { runtimeFolders } from "./user-folders.js";

const schema = processIdentity.extend({
  service: z.string(),
  /** The path of its serin.yml. */
  file: z.string(),
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
 * Lets `serin` find a system of this process, by a file that only the user can read.
 *
 * @returns what removes the file
 * @throws if its folder belongs to another user or is a link
 */
export function announceSystem(
  system: Pick<RunningSystem, "service" | "file" | "settings">,
  env: Environment,
): () => void {
  const [folder] = runtimeFolders(env);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const stats = lstatSync(folder);
  if (!stats.isDirectory() || !isOwn(stats))
    throw new Error(`${folder} is not a folder of this user`);
  chmodSync(folder, 0o700);
  removeLeftovers(folder);
  // A name of its own, because systems of one name may start at once.
  const part = join(folder, `${system.service}-${randomUUID()}`);
  const path = `${part}.json`;
  const content = { ...system, ...identifyProcess(process.pid) };
  writeFileSync(part, JSON.stringify(content), { flag: "wx", mode: 0o600 });
  renameSync(part, path);
  return () => rmSync(path, { force: true });
}

/** The systems whose processes run, by name. */
export function readRunningSystems(env: Environment): RunningSystem[] {
  const systems = runtimeFolders(env).flatMap((folder) =>
    listFiles(folder).flatMap((path) => readSystem(path) ?? []),
  );
  return systems.sort(
    (a, b) =>
      a.service.localeCompare(b.service) || a.file.localeCompare(b.file),
  );
}

/** Undefined for what a killed process has left behind. */
function readSystem(path: string): RunningSystem | undefined {
  const text = attempt(() => readFileSync(path, "utf8"));
  const { data } = schema.safeParse(parseJson(text));
  return data !== undefined && isStillRunning(data) ? data : undefined;
}

function removeLeftovers(folder: string): void {
  for (const path of listFiles(folder))
    if (readSystem(path) === undefined) rmSync(path, { force: true });
}

/** The files that nobody but the user can have written. */
function listFiles(folder: string): string[] {
  if (!isPrivate(folder, "isDirectory")) return [];
  const names = attempt(() => readdirSync(folder)) ?? [];
  return names
    .filter((name) => name.endsWith(".json"))
    .map((name) => join(folder, name))
    .filter((path) => isPrivate(path, "isFile"));
}

/** Whether only the user writes to it, and it is no link. */
function isPrivate(path: string, kind: "isFile" | "isDirectory"): boolean {
  const stats = attempt(() => lstatSync(path));
  return (
    stats !== undefined &&
    stats[kind]() &&
    isOwn(stats) &&
    (stats.mode & 0o022) === 0
  );
}

function isOwn({ uid }: Stats): boolean {
  return uid === process.getuid?.();
}

/** Undefined for what is not there, or not readable. */
function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
