import {
  copyFileSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  writeFileSync,
} from "node:fs";
import { basename, join } from "node:path";
import { build } from "esbuild";

/**
 * Bundles the dashboard of apps/monitor/page into dist/apps/monitor/page: one script, one stylesheet, both named by their
 * content, the page that loads them, and its icons.
 *
 * @returns the absolute paths of all sources in the bundles
 */
export async function bundlePage(root) {
  const source = join(root, "apps/monitor/page");
  const target = join(root, "dist/apps/monitor/page");
  const { inputs, outputs } = await bundle(source, target);
  mkdirSync(target, { recursive: true });
  let page = readFileSync(join(source, "index.html"), "utf8");
  // `main.ts` has become `main-1A2B3C4D.js`.
  for (const [path, { entryPoint }] of Object.entries(outputs))
    page = page.replaceAll(`"${basename(entryPoint)}"`, `"${basename(path)}"`);
  writeFileSync(join(target, "index.html"), page);
  for (const name of readdirSync(source))
    if (name.endsWith(".svg"))
      copyFileSync(join(source, name), join(target, name));
  return Object.keys(inputs).map((path) => join(source, path));
}

async function bundle(source, target) {
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
  return metafile;
}
