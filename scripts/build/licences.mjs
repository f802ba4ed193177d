import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const LICENCE_FILE = /^(licen[cs]e|notice|copying)([.-].*)?$/i;
/** A package's folder at the start of a file's path. */
const PACKAGE_FOLDER = /^.*node_modules[\\/](@[^\\/]+[\\/])?[^\\/]+/;
const RULE = `\n${"-".repeat(80)}\n\n`;

/** Writes the licences of the packages whose files are among `inputs` to dist/THIRD-PARTY-LICENSES. */
export function writeLicences(root, inputs) {
  const folders = inputs.flatMap(
    (path) => PACKAGE_FOLDER.exec(path)?.[0] ?? [],
  );
  const entries = [...new Set(folders)].map(describePackage);
  const text = `dist/ contains these packages.\n${RULE}${[...new Set(entries)].sort().join(RULE)}`;
  writeFileSync(join(root, "dist/THIRD-PARTY-LICENSES"), text);
}

/** @throws if a package names no licence */
function describePackage(folder) {
  const { name, version, license } = JSON.parse(
    readFileSync(join(folder, "package.json"), "utf8"),
  );
  const texts = readdirSync(folder)
    .filter((file) => LICENCE_FILE.test(file))
    .sort()
    .map((file) => readFileSync(join(folder, file), "utf8").trim());
  if (license === undefined && texts.length === 0)
    throw new Error(`${name} ${version} names no licence`);
  return [`${name} ${version} (${license})`, ...texts].join("\n\n") + "\n";
}
