import { fileURLToPath } from "node:url";
import { build } from "esbuild";

/**
 * A module of the dashboard that needs no browser. The page is compiled by itself, for browsers, and keeps no module in
 * dist/: it is bundled here as the page is.
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
