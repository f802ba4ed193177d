import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

/**
 * The first program of these names that can be executed.
 *
 * @param searchPath such as `PATH`
 */
export function findProgram(
  searchPath: string,
  ...names: string[]
): string | undefined {
  const folders = searchPath.split(delimiter);
  return names
    .flatMap((name) => folders.map((folder) => join(folder, name)))
    .find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
