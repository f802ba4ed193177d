import {
  cpSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { Obstacle } from "../prepare/obstacle.mjs";

/** Of the programs, those that run on hosts. */
const PROGRAMS = ["agent", "app", "cli", "monitor", "proxy"];
const MANIFEST_FIELDS = [
  "name",
  "version",
  "description",
  "license",
  "private",
  "type",
  "engines",
];
/** For compilers and debuggers, not for a running program. */
const UNUSED = /\.(d\.[cm]?ts|[cm]?js\.map|tsbuildinfo)$/;

/** Puts into `stage` what hosts need of a compiled checkout. */
export function stageRelease(release, build, stage) {
  for (const program of PROGRAMS) copy(build, stage, `dist/apps/${program}`);
  copy(build, stage, "dist/lib");
  copy(build, stage, "LICENSE");
  renameSync(join(build, "node_modules"), join(stage, "node_modules"));
  prune(join(stage, "node_modules"));
  writeJson(
    join(stage, "package.json"),
    trimManifest(join(build, "package.json")),
  );
  writeJson(join(stage, "release.json"), release);
}

function copy(build, stage, path) {
  cpSync(join(build, path), join(stage, path), { recursive: true });
}

function prune(modules) {
  rmSync(join(modules, ".bin"), { recursive: true, force: true });
  rmSync(join(modules, ".package-lock.json"), { force: true });
  for (const path of readdirSync(modules, { recursive: true })) {
    if (path.endsWith(".node"))
      throw new Obstacle(
        `${path} is compiled for one architecture, and a release is for all`,
      );
    if (UNUSED.test(path)) rmSync(join(modules, path), { force: true });
  }
}

function trimManifest(path) {
  const manifest = JSON.parse(readFileSync(path, "utf8"));
  return Object.fromEntries(
    MANIFEST_FIELDS.map((field) => [field, manifest[field]]),
  );
}

function writeJson(path, value) {
  writeFileSync(path, `${JSON.stringify(value, null, 2)}\n`);
}
