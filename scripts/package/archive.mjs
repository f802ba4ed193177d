import { createHash } from "node:crypto";
import {
  closeSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { hasCommand, runCommand } from "../prepare/command.mjs";
import { Obstacle } from "../prepare/obstacle.mjs";

/** Fixes all that depends on the machine or the time: order, times, owners, modes, gzip's header. */
const TAR_OPTIONS = [
  "--format=gnu",
  "--sort=name",
  "--owner=0",
  "--group=0",
  "--numeric-owner",
  "--mode=u=rwX,go=rX",
];

/** Packs `stage`. @returns the tarball's path, which appears only when it is complete */
export function writeArchive(release, stage, artifacts) {
  const name = `serin-${release.release}`;
  const path = join(artifacts, `${name}.tar.gz`);
  const tar = join(stage, "..", `${name}.tar`);
  runCommand(findGnuTar(), [
    ...TAR_OPTIONS,
    `--mtime=${release.committedAt}`,
    `--transform=s,^\\.,${name},`,
    `--file=${tar}`,
    ...["-c", "-C", stage, "."],
  ]);
  compress(tar, `${path}.part`);
  renameSync(`${path}.part`, path);
  const sum = createHash("sha256").update(readFileSync(path)).digest("hex");
  writeFileSync(`${path}.sha256`, `${sum}  ${name}.tar.gz\n`);
  link(`${name}.tar.gz`, join(artifacts, "serin.tar.gz"));
  return path;
}

/** With the program gzip, because zlib's output differs between versions of Node. */
function compress(from, to) {
  const output = openSync(to, "w");
  const { status, error, stderr } = spawnSync(
    "gzip",
    ["-n", "-9", "-c", from],
    { stdio: ["ignore", output, "pipe"] },
  );
  closeSync(output);
  if (status !== 0) throw new Obstacle(`gzip: ${error?.message ?? stderr}`);
}

function findGnuTar() {
  const found = ["gtar", "tar"].find(
    (command) => hasCommand(command) && isGnu(command),
  );
  if (found === undefined)
    throw new Obstacle(
      "packaging takes GNU tar (on macOS: brew install gnu-tar)",
    );
  return found;
}

function isGnu(command) {
  return spawnSync(command, ["--version"], {
    encoding: "utf8",
  }).stdout.includes("GNU tar");
}

function link(target, path) {
  rmSync(path, { force: true });
  symlinkSync(target, path);
}
