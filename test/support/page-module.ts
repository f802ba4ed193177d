import { fileURLToPath } from "node:url";
import { build } from "esbuild";

/**
 * Imports a module of the dashboard that needs no browser. dist/ contains no modules of the page, so this bundles one as the
 * page is bundled.
 *
 * @param name such as `charts/history-book`
 */
export async function importPageModule<T>(name: string): Promise<T> {
  const source = `../../../apps/monitor/page/${name}.ts`;
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL(source, import.meta.url))],
    bundle: true,
    format: "esm",
    write: false,
  });
  const code = encodeURIComponent(outputFiles[0]!.text);
  return (await import(`data:text/javascript,${code}`)) as T;
}
