import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

/**
 * Takes a lock for this process; one that a dead process has left behind counts as free.
 *
 * @returns what releases the lock, or the pid of the process that holds it
 */
export function takeLock(path: string): (() => void) | number {
  mkdirSync(dirname(path), { recursive: true });
  if (!tryWrite(path)) {
    const owner = Number(readFileSync(path, "utf8"));
    if (isRunning(owner)) return owner;
    rmSync(path);
    if (!tryWrite(path)) return takeLock(path);
  }
  return () => rmSync(path, { force: true });
}

export function isRunning(pid: number): boolean {
  try {
    return pid > 0 && process.kill(pid, 0);
  } catch (err) {
    // It belongs to another user.
    return (err as NodeJS.ErrnoException).code === "EPERM";
  }
}

function tryWrite(path: string): boolean {
  try {
    writeFileSync(path, String(process.pid), { flag: "wx" });
    return true;
  } catch (err) {
    if ((err as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw err;
  }
}
