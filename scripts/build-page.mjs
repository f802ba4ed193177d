/**
 * Bundles the dashboard of apps/monitor/page into dist/apps/monitor/page: one script, one stylesheet, both named by their
 * content, the page that loads them, and its icons. The same sources give the same bytes.
 *
 *     node scripts/build-page.mjs
 */
import {
  copyFileSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = fileURLToPath(new URL("..", import.meta.url));
const source = join(root, "apps/monitor/page");
const target = join(root, "dist/apps/monitor/page");

/** @returns the bundles' names by their entry's: `main.ts` → `main-1A2B3C4D.js` */
async function bundle() {
  const { metafile } = await build({
    absWorkingDir: source,
    entryPoints: ["main.ts", "style/page.css"],
    entryNames: "[name]-[hash]",
    outdir: target,
    bundle: true,
    minify: true,
    format: "esm",
    target: ["es2022", "chrome109", "firefox115", "safari16.4"],
    legalComments: "none",
    metafile: true,
    logLevel: "warning",
  });
  return Object.entries(metafile.outputs).map(([path, { entryPoint }]) => [
    basename(entryPoint),
    basename(path),
  ]);
}

rmSync(target, { recursive: true, force: true });
mkdirSync(target, { recursive: true });
let page = readFileSync(join(source, "index.html"), "utf8");
for (const [entry, name] of await bundle())
  page = page.replaceAll(`"/${entry}"`, `"/${name}"`);
writeFileSync(join(target, "index.html"), page);
for (const name of readdirSync(source))
  if (name.endsWith(".svg"))
    copyFileSync(join(source, name), join(target, name));
