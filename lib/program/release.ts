import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import * as z from "zod";
import { parseJson } from "../redis/stream-entry.js";

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
  return releaseVersion(
    above(folder, "neither release.json nor package.json is"),
  );
}

/** Such as `1.4.0-20261201031500-1a2b3c4d5e`, or without a version. @param committedAt ms since the epoch */
export function formatRelease(
  version: string | undefined,
  { commit, committedAt }: { commit: string; committedAt: number },
): string {
  const second = new Date(committedAt).toISOString().slice(0, 19);
  const stamp = second.replace(/\D/g, "");
  return [version, stamp, commit.slice(0, 10)].filter(Boolean).join("-");
}

/** A release without the digits that name its environment on a host, `+1a2b3c4d`. */
export function packedRelease(release: string): string {
  return release.replace(/\+[0-9a-f]{8}$/, "");
}

/** The version in a package.json's text; undefined without one that can be part of a file's name. */
export function versionIn(manifest: string | undefined): string | undefined {
  const { data } = manifestSchema.safeParse(parseJson(manifest));
  const { version = "" } = data ?? {};
  return /^\d[\w.+-]{0,63}$/.test(version) ? version : undefined;
}

/** The folder of Serin's package: the nearest one upward with a package.json. It holds ansible/, jenkins/ and dist/. */
export function packageRoot(from = import.meta.url): string {
  const folder = new URL(".", from);
  if (existsSync(new URL("package.json", folder))) return fileURLToPath(folder);
  return packageRoot(above(folder, "no package.json is"));
}

function above(folder: URL, missing: string): string {
  const { href } = new URL("..", folder);
  if (href === folder.href) throw new Error(`${missing} above this code`);
  return href;
}

function read(file: URL): unknown {
  return JSON.parse(readFileSync(file, "utf8"));
}
