import { existsSync, readdirSync } from "node:fs";
import { join, sep } from "node:path";
import { build } from "esbuild";
import { findMains } from "./programs.mjs";

const PAGE = "apps/monitor/page/";

/** Transpiles each module of programs, tests and benchmarks to a file of its own, except those that run only as bundles. */
export async function transpileModules(root) {
  const mains = new Set(findMains(root));
  await build({
    absWorkingDir: root,
    entryPoints: ["apps", "lib", "test", "bench"]
      .flatMap((folder) => findModules(root, folder))
      .filter((path) => !mains.has(path) && !path.startsWith(PAGE)),
    outdir: "dist",
    outbase: ".",
    platform: "node",
    target: "node20",
    format: "esm",
    sourcemap: true,
    sourcesContent: false,
    logLevel: "warning",
  });
}

function findModules(root, folder) {
  const directory = join(root, folder);
  if (!existsSync(directory)) return [];
  return readdirSync(directory, { recursive: true })
    .filter((path) => path.endsWith(".ts"))
    .map((path) => `${folder}/${path.replaceAll(sep, "/")}`);
}
