import { createHash } from "node:crypto";
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { CliError, EXIT } from "../../exit-status.js";
import { createProgramError } from "../host-fault.js";

/** Fixes all that depends on the machine or the time: order, times, owners, modes, gzip's header. */
const TAR_OPTIONS = [
  "--format=gnu",
  "--sort=name",
  "--owner=0",
  "--group=0",
  "--numeric-owner",
  "--mode=u=rwX,go=rX",
];

export interface Archive {
  /** What is packed; it becomes the archive's one folder, named like the archive. */
  stage: string;
  /** Where the archive, its checksum and the link `<program>.tar.gz` to it go. */
  artifacts: string;
  program: string;
  release: string;
  /** The modification time of everything in it, ISO 8601. */
  at: string;
}

/** Packs a folder; the same content gives the same bytes. @returns the path, where only a complete archive appears */
export function writeArchive(archive: Archive): string {
  const { stage, artifacts, program, release, at } = archive;
  const name = `${program}-${release}`;
  const path = join(openArtifacts(artifacts), `${name}.tar.gz`);
  const tar = join(stage, "..", `${name}.tar`);
  runTar(
    ...TAR_OPTIONS,
    `--mtime=${at}`,
    // Not the targets of links: flags=rh
    `--transform=flags=rh;s,^\\.,${name},`,
    `--file=${tar}`,
    ...["-c", "-C", stage, "."],
  );
  compress(tar, `${path}.part`);
  rmSync(tar);
  renameSync(`${path}.part`, path);
  const sum = createHash("sha256").update(readFileSync(path)).digest("hex");
  writeFileSync(`${path}.sha256`, `${sum}  ${name}.tar.gz\n`);
  const link = join(artifacts, `${program}.tar.gz`);
  rmSync(link, { force: true });
  symlinkSync(`${name}.tar.gz`, link);
  return path;
}

/** Creates the folder for artifacts, which Git ignores. */
function openArtifacts(folder: string): string {
  mkdirSync(folder, { recursive: true });
  const ignore = join(folder, ".gitignore");
  if (!existsSync(ignore)) writeFileSync(ignore, "*\n");
  return folder;
}

/** Runs GNU tar. @throws CliError with its error */
export function runTar(...args: string[]): void {
  const { status, error, stderr } = spawnSync(findGnuTar(), args, {
    encoding: "utf8",
  });
  if (status !== 0)
    throw createProgramError("tar", error?.message ?? stderr.trim());
}

/** With the program gzip, because zlib's output differs between versions of Node. */
function compress(from: string, to: string): void {
  const output = openSync(to, "w");
  const { status, error, stderr } = spawnSync(
    "gzip",
    ["-n", "-9", "-c", from],
    { stdio: ["ignore", output, "pipe"], encoding: "utf8" },
  );
  closeSync(output);
  if (status !== 0)
    throw createProgramError("gzip", error?.message ?? stderr.trim());
}

function findGnuTar(): string {
  const found = ["gtar", "tar"].find((command) => {
    const { status, stdout } = spawnSync(command, ["--version"], {
      encoding: "utf8",
    });
    return status === 0 && stdout.includes("GNU tar");
  });
  if (found !== undefined) return found;
  throw new CliError(
    EXIT.usage,
    "packaging takes GNU tar (on macOS: brew install gnu-tar)",
  );
}
