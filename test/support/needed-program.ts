import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import type { Context } from "mocha";

/** A program that some tests need and not every machine has. */
export interface NeededProgram {
  /** Any of them will do. */
  names: readonly string[];
  debianPackage: string;
}

/** Skips the test, or in `before` its suite, where there is no such program, and says so. */
export function skipWithout(context: Context, needed: NeededProgram): void {
  if (findOnPath(needed.names) !== undefined) return;
  console.warn(
    `SKIPPED: no ${needed.names.join(", ")} on the PATH (apt-get install ${needed.debianPackage})`,
  );
  context.skip();
}

/** @returns where the first of these is that is there at all */
export function findOnPath(names: readonly string[]): string | undefined {
  const directories = searchPath().split(delimiter);
  return names
    .flatMap((name) => directories.map((directory) => join(directory, name)))
    .find(isExecutable);
}

/** The PATH, and where Debian has the programs for administrators. */
export function searchPath(): string {
  return `${process.env.PATH ?? ""}${delimiter}/usr/sbin`;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
