/**
 * Makes the package's commands executable, which tsc does not: npx does so only when it links one for the first time.
 *
 *     node scripts/make-executable.mjs
 */
import { chmodSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const { bin } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
for (const path of Object.values(bin)) chmodSync(join(root, path), 0o755);
