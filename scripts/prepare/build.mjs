import { createHash } from "node:crypto";
import { readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runCommand } from "./command.mjs";
import { showStep } from "./progress.mjs";

const SOURCES = [
  "apps",
  "lib",
  "test",
  "bench",
  "scripts/build.mjs",
  "scripts/build",
  "tsconfig.json",
  "package-lock.json",
];
/** A product beside the sources. */
const SAMPLE_PRODUCT = "apps/app/dist";
/** A stamp in dist/. Each build removes it, and writes it when it has succeeded. */
const BUILT = "dist/.built";

/**
 * Builds dist/, unless it was built from exactly these sources.
 *
 * @param extent `start` for what runs on this machine, or `tests` for all that is shipped, tests and benchmarks
 */
export async function ensureBuild(root, extent) {
  const sources = fingerprint(root);
  const built = readStamp(root);
  const enough = extent === "tests" ? ["tests"] : ["tests", "start"];
  if (enough.some((one) => built === `${one} ${sources}`)) return;
  const build = [join(root, "scripts/build.mjs"), extent];
  await showStep("building", () => runCommand(process.execPath, build));
  writeFileSync(join(root, BUILT), `${extent} ${sources}`);
}

/** Changes when a source is edited, added, removed or renamed. */
function fingerprint(root) {
  const hash = createHash("sha256");
  const addAll = (path) => {
    if (path === SAMPLE_PRODUCT) return;
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
    return readFileSync(join(root, BUILT), "utf8");
  } catch {
    return undefined;
  }
}
