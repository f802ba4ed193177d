import { statSync } from "node:fs";
import { join } from "node:path";
import { runCommand } from "./command.mjs";

/** Installs the packages of package-lock.json, unless npm has done so since that file last changed. */
export function ensurePackages(root, say) {
  // npm writes its hidden lockfile last, so an interrupted install does not look like a finished one.
  const installedAt = modifiedAt(join(root, "node_modules/.package-lock.json"));
  const lockedAt = modifiedAt(join(root, "package-lock.json"));
  if (installedAt >= lockedAt) return;
  say("installing the packages (npm ci)");
  const flags = ["--include=dev", "--no-audit", "--no-fund"];
  runCommand("npm", ["ci", ...flags], { cwd: root });
}

/** Ms since the epoch; 0 if the file does not exist. */
function modifiedAt(path) {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}
