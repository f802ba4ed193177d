import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onCleanup } from "./cleanup.js";

/** Removed after the test, with all that is in it. */
export function createTempDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), "serin-test-"));
  onCleanup(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}
