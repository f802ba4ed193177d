import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onCleanup } from "./cleanup.js";

/** Creates a directory that is removed after the test with its content. */
export function createTempDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), "serin-test-"));
  onCleanup(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}
