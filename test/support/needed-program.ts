import { delimiter } from "node:path";
import type { Context } from "mocha";
import { findProgram } from "../../apps/cli/release/run-program.js";

/** A program that some tests need and that may be missing. */
export interface NeededProgram {
  /** Alternatives. */
  names: readonly string[];
  debianPackage: string;
}

/** Skips the test (in `before`: the suite) and prints a notice if the program is missing. */
export function skipWithout(context: Context, needed: NeededProgram): void {
  if (findOnPath(needed.names) !== undefined) return;
  console.warn(
    `SKIPPED: no ${needed.names.join(", ")} on the PATH (apt-get install ${needed.debianPackage})`,
  );
  context.skip();
}

/** @returns the path of the first of these programs that exists */
export function findOnPath(names: readonly string[]): string | undefined {
  return findProgram(searchPath(), ...names);
}

/** The PATH with Debian's folder of administration programs. */
export function searchPath(): string {
  return `${process.env.PATH ?? ""}${delimiter}/usr/sbin`;
}
