import { existsSync, readFileSync } from "node:fs";
import * as z from "zod";

const releaseSchema = z.object({ release: z.string() });
const manifestSchema = z.object({ version: z.string() });

/**
 * The release of this code: its name in release.json, which packaging writes (`0.2.0-20261124000747-81fd353b24`), or in a
 * checkout the version in package.json. The nearest folder upward with either file counts, because bundles and modules lie at
 * different depths.
 *
 * @param from the URL of a file, or of a folder with a trailing slash
 * @throws if neither file exists or the nearest one is malformed
 */
export function releaseVersion(from = import.meta.url): string {
  const folder = new URL(".", from);
  const packaged = new URL("release.json", folder);
  if (existsSync(packaged)) return releaseSchema.parse(read(packaged)).release;
  const manifest = new URL("package.json", folder);
  if (existsSync(manifest)) return manifestSchema.parse(read(manifest)).version;
  const above = new URL("..", folder);
  if (above.href === folder.href)
    throw new Error("neither release.json nor package.json is above this code");
  return releaseVersion(above.href);
}

function read(file: URL): unknown {
  return JSON.parse(readFileSync(file, "utf8"));
}
