/**
 * Builds dist/ from scratch: each program and serin/client bundled with the packages that they use, the dashboard's page, and
 * the licences of those packages. The sample service is built to apps/app/dist/ as well, beside its serin.yml. The same
 * sources give the same bytes. Types are checked by `npm run types`.
 *
 *     node scripts/build.mjs          what is shipped
 *     node scripts/build.mjs start    without serin/client and licences, for this machine
 *     node scripts/build.mjs tests    and each module by itself, for tests and benchmarks
 */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { writeLicences } from "./build/licences.mjs";
import { transpileModules } from "./build/modules.mjs";
import { bundlePage } from "./build/page.mjs";
import { bundlePrograms } from "./build/programs.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
for (const folder of ["dist", "apps/app/dist"])
  rmSync(join(root, folder), { recursive: true, force: true });
const extent = process.argv[2];
const bundles = [bundlePrograms(root), bundlePage(root)];
if (extent === "start") await Promise.all(bundles);
else {
  // It loads the TypeScript compiler.
  const { bundleClient } = await import("./build/client.mjs");
  const inputs = await Promise.all([...bundles, bundleClient(root)]);
  writeLicences(root, inputs.flat());
}
// Last: where both write a config.js, tests need the module.
if (extent === "tests") await transpileModules(root);
