import { existsSync, readFileSync } from "node:fs";
import { z } from "zod";

const releaseSchema = z.object({ release: z.string() });
const manifestSchema = z.object({ version: z.string() });

/**
 * The release this code belongs to: its name in the release.json that packaging writes (`0.2.0-20261124000747-81fd353b24`), or
 * in a checkout package.json's version.
 *
 * @param root the folder of either file, its URL ending in a slash
 * @throws if neither file is there, or the one that counts is not as it should be
 */
export function releaseVersion(
  root = new URL("../../../", import.meta.url),
): string {
  const packaged = new URL("release.json", root);
  if (existsSync(packaged)) return releaseSchema.parse(read(packaged)).release;
  return manifestSchema.parse(read(new URL("package.json", root))).version;
}

function read(file: URL): unknown {
  return JSON.parse(readFileSync(file, "utf8"));
}
