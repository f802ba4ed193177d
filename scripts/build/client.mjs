import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { build } from "esbuild";
import ts from "typescript";
import { REQUIRE } from "./programs.mjs";

const ENTRIES = ["lib/client/client.ts", "lib/client/openfeature.ts"];
/** The modules whose declarations a service's TypeScript reads. They import no packages but Node's and OpenFeature's. */
const DECLARED = [
  ...ENTRIES,
  "lib/client/flags.ts",
  "lib/flag/flag-details.ts",
];

/**
 * Bundles serin/client and serin/openfeature with their packages into dist/client, and declares their types. OpenFeature's SDK is
 * the service's own.
 *
 * @returns the absolute paths of all sources in the bundles
 */
export async function bundleClient(root) {
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: ENTRIES,
    outdir: "dist/client",
    chunkNames: "[name]-[hash]",
    bundle: true,
    splitting: true,
    platform: "node",
    target: "node20",
    format: "esm",
    external: ["@openfeature/server-sdk"],
    banner: { js: REQUIRE },
    metafile: true,
    logLevel: "warning",
  });
  for (const path of DECLARED) declare(root, path);
  return Object.keys(metafile.inputs).map((path) => join(root, path));
}

/** Writes the declarations of a module to dist/client/types. */
function declare(root, path) {
  const source = readFileSync(join(root, path), "utf8");
  const { outputText } = ts.transpileDeclaration(source, {
    fileName: path,
    compilerOptions: {
      target: ts.ScriptTarget.ES2023,
      module: ts.ModuleKind.NodeNext,
      strict: true,
      isolatedDeclarations: true,
    },
    reportDiagnostics: true,
  });
  const target = join(
    root,
    "dist/client/types",
    path.replace(/^lib\/(.*)\.ts$/, "$1.d.ts"),
  );
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target, outputText);
}
