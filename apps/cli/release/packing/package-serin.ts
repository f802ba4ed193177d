import { createHash } from "node:crypto";
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { CliError, EXIT } from "../../exit-status.js";
import { writeArchive } from "./archive.js";

/** Programs that no host runs: the sample has a release of its own. */
const LEFT_OUT = ["launcher", "app"].map((name) => join("dist", "apps", name));
const MANIFEST_FIELDS = ["name", "version", "description", "license", "type"];
/** The files have no commit of their own. */
const TIME = "2000-01-01T00:00:00Z";

/**
 * Packs Serin's own programs for hosts, `serin-<version>-<hash of the files>.tar.gz`. The same files give the same bytes.
 *
 * @param root the folder of Serin's package
 * @returns the path
 * @throws CliError if a checkout is not built
 */
export function packageSerin(root: string, artifacts: string): string {
  if (!existsSync(join(root, "dist", "apps")))
    throw new CliError(EXIT.usage, `${root} is not built: npm run build`);
  if (existsSync(join(root, "dist", "test")))
    throw new CliError(
      EXIT.usage,
      `${join(root, "dist")} is a build for tests, whose programs do not run on hosts: npm run build`,
    );
  const work = mkdtempSync(join(tmpdir(), "serin-package-"));
  try {
    const stage = join(work, "stage");
    const version = copyPackage(root, stage);
    const release = `${version}-${hashFiles(stage).slice(0, 10)}`;
    writeJson(join(stage, "release.json"), { release, version });
    return writeArchive({
      stage,
      artifacts,
      program: "serin",
      release,
      at: TIME,
    });
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** @returns the version */
function copyPackage(root: string, stage: string): string {
  cpSync(join(root, "dist"), join(stage, "dist"), {
    recursive: true,
    filter: (path) => !LEFT_OUT.includes(relative(root, path)),
  });
  cpSync(join(root, "LICENSE"), join(stage, "LICENSE"));
  const manifest = JSON.parse(
    readFileSync(join(root, "package.json"), "utf8"),
  ) as Record<string, unknown>;
  writeJson(
    join(stage, "package.json"),
    Object.fromEntries(MANIFEST_FIELDS.map((name) => [name, manifest[name]])),
  );
  return String(manifest.version);
}

function hashFiles(folder: string): string {
  const hash = createHash("sha256");
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name))
    .sort();
  for (const path of files)
    hash.update(`${relative(folder, path)}\0`).update(readFileSync(path));
  return hash.digest("hex");
}

function writeJson(path: string, value: unknown): void {
  writeFileSync(path, `${JSON.stringify(value, null, 2)}\n`);
}
