import { createHash } from "node:crypto";
import { readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runCommand } from "./command.mjs";

const SOURCES = [
  "apps",
  "lib",
  "test",
  "bench",
  "scripts/build-page.mjs",
  "scripts/make-executable.mjs",
  "tsconfig.json",
  "package-lock.json",
];
/** Written after a build that went well, and removed with dist/ before the next: no half or failed build has it. */
const STAMP = "dist/.sources";

/** Builds dist/ unless it is of exactly the sources that are there. */
export function ensureBuild(root, say) {
  const sources = fingerprint(root);
  if (readStamp(root) === sources) return;
  say("compiling (npm run build)");
  runCommand("npm", ["run", "build", "--silent"], { cwd: root });
  writeFileSync(join(root, STAMP), sources);
}

/** Changes when a source is edited, added, removed or renamed. */
function fingerprint(root) {
  const hash = createHash("sha256");
  const addAll = (path) => {
    const stats = statSync(join(root, path), { throwIfNoEntry: false });
    if (stats?.isDirectory())
      for (const name of readdirSync(join(root, path)).sort())
        addAll(`${path}/${name}`);
    else if (stats) hash.update(`${path} ${stats.size} ${stats.mtimeMs}\n`);
  };
  SOURCES.forEach(addAll);
  return hash.digest("hex");
}

function readStamp(root) {
  try {
    return readFileSync(join(root, STAMP), "utf8");
  } catch {
    return undefined;
  }
}
