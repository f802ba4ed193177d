import { existsSync, readFileSync } from "node:fs";
import * as z from "zod";

const releaseSchema = z.object({ release: z.string() });
const manifestSchema = z.object({ version: z.string() });

/**
 * The release this code belongs to: its name in the release.json that packaging writes (`0.2.0-20261124000747-81fd353b24`), or
 * in a checkout package.json's version. The nearest folder upward with either file counts, since bundles and single modules
 * lie at different depths.
 *
 * @param from the URL of a file, or of a folder with a slash at its end
 * @throws if neither file is there, or the one that counts is not as it should be
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
