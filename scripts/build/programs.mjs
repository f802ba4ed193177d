import { chmodSync, readFileSync, readdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { build } from "esbuild";

/** The entry points: `main.ts`, `worker-main.ts`. */
const MAIN = /^([\w-]+-)?main\.ts$/;
/** The playbooks and `serin dev` load their config.ts to check settings before a start. */
const CHECKED = ["agent", "monitor", "proxy"];

/** Bundled CommonJS packages `require` modules of Node, which an ES module cannot without this. */
export const REQUIRE =
  'import { createRequire as createRequireOfBundle } from "node:module";\n' +
  "const require = createRequireOfBundle(import.meta.url);";

/** The sample's release has no package.json: its file's name says that it is a module. */
const SAMPLE = {
  entryPoints: ["apps/app/main.ts"],
  outdir: "apps/app/dist",
  outExtension: { ".js": ".mjs" },
};

const FIRST_LINE_MAP = `//# sourceMappingURL=data:application/json;base64,${Buffer.from(
  JSON.stringify({ version: 3, sources: [""], mappings: "AAAA" }),
).toString("base64")}`;

/**
 * Packages get no source map of their own: it would be two thirds of the program's, which Node keeps in memory from the first
 * stack trace on (20 MB). All of a package's code maps to its first line.
 */
const PACKAGES_UNMAPPED = {
  name: "packages unmapped",
  setup({ onLoad }) {
    onLoad({ filter: /\/node_modules\/.*\.[cm]?js$/ }, async ({ path }) => ({
      contents: `${await readFile(path, "utf8")}\n${FIRST_LINE_MAP}`,
      loader: "default",
    }));
  },
};

/** @returns the absolute paths of all sources in the bundles */
export async function bundlePrograms(root) {
  const configs = CHECKED.map((program) => `apps/${program}/config.ts`);
  const [{ metafile }] = await Promise.all([
    bundle(root, {
      entryPoints: [...findMains(root), ...configs],
      outdir: "dist",
      outbase: ".",
      // What several programs use is in dist/shared once: a third of the size.
      splitting: true,
      chunkNames: "shared/[hash]",
    }),
    bundle(root, SAMPLE),
  ]);
  makeCommandsExecutable(root);
  return Object.keys(metafile.inputs).map((path) => join(root, path));
}

function bundle(root, entry) {
  return build({
    ...entry,
    absWorkingDir: root,
    bundle: true,
    platform: "node",
    target: "node20",
    format: "esm",
    banner: { js: REQUIRE },
    define: { __dirname: "import.meta.dirname" },
    sourcemap: true,
    // Stack traces need only positions.
    sourcesContent: false,
    plugins: [PACKAGES_UNMAPPED],
    metafile: true,
    logLevel: "warning",
  });
}

/** The modules that run only as bundles. */
export function findMains(root) {
  return readdirSync(join(root, "apps")).flatMap((program) =>
    readdirSync(join(root, "apps", program))
      .filter((name) => MAIN.test(name))
      .map((name) => `apps/${program}/${name}`),
  );
}

/** npx does so only when it links a command for the first time. */
function makeCommandsExecutable(root) {
  const { bin } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  for (const path of Object.values(bin)) chmodSync(join(root, path), 0o755);
}
