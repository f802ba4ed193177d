import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Left out: it runs everything on one machine. */
const LAUNCHER = join("dist", "apps", "launcher");
const MANIFEST_FIELDS = [
  "name",
  "version",
  "description",
  "license",
  "private",
  "type",
  "engines",
];

/** Copies the part of a built checkout that hosts need to `stage`. */
export function stageRelease(release, build, stage) {
  const launcher = join(build, LAUNCHER);
  cpSync(join(build, "dist"), join(stage, "dist"), {
    recursive: true,
    filter: (path) => path !== launcher,
  });
  cpSync(join(build, "LICENSE"), join(stage, "LICENSE"));
  writeJson(
    join(stage, "package.json"),
    trimManifest(join(build, "package.json")),
  );
  writeJson(join(stage, "release.json"), release);
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
