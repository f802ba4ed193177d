import {
  type Dirent,
  closeSync,
  existsSync,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  realpathSync,
} from "node:fs";
import { dirname, isAbsolute, join, relative, resolve } from "node:path";
import { CliError, EXIT } from "../../exit-status.js";

export type Architecture = "x64" | "arm64";

const ELF = 0x7f454c46;
/** By the field e_machine of ELF. */
const MACHINES = new Map<number, Architecture>([
  [62, "x64"],
  [183, "arm64"],
]);
const MACHINE_OFFSET = 18;
const MAX_NAMED = 5;

/**
 * Rejects links that would point elsewhere on the hosts.
 *
 * @returns the architecture of the native code; undefined if there is none, or code for several to choose from
 * @throws CliError
 */
export function examine(stage: string): Architecture | undefined {
  const escaping: string[] = [];
  const architectures = new Set<Architecture>();
  for (const entry of walk(stage)) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isSymbolicLink()) {
      const target = readlinkSync(path);
      if (pointsOutside(stage, path, target))
        escaping.push(`${relative(stage, path)} → ${target}`);
    } else if (entry.isFile() && (isExecutable(path) || isLibrary(path))) {
      const architecture = readArchitecture(path);
      if (architecture !== undefined) architectures.add(architecture);
    }
  }
  if (escaping.length > 0) throw refuseLinks(escaping);
  return architectures.size === 1 ? [...architectures][0] : undefined;
}

/** Files and links. readdir's own recursion follows links to folders, and fails where they form a circle, as in pnpm's packages. */
function* walk(folder: string): Generator<Dirent> {
  for (const entry of readdirSync(folder, { withFileTypes: true }))
    if (entry.isDirectory()) yield* walk(join(folder, entry.name));
    else yield entry;
}

function pointsOutside(stage: string, link: string, target: string): boolean {
  const leaves = (path: string, root: string) =>
    /^\.\.(\/|$)/.test(relative(root, path));
  if (isAbsolute(target) || leaves(resolve(dirname(link), target), stage))
    return true;
  // Through another link, .. leads elsewhere than its text; only the native realpath knows.
  const { native } = realpathSync;
  if (existsSync(link)) return leaves(native(link), native(stage));
  return /(^|\/)(?!\.\.?\/)[^/]+\/(.*\/)?\.\.(\/|$)/.test(target);
}

/** @throws CliError if a folder of `writable` is reached through a link, which would mix what is kept with the release */
export function checkWritable(
  stage: string,
  writable: readonly string[],
): void {
  for (const path of writable)
    for (let part = path; part !== "."; part = dirname(part))
      if (
        lstatSync(join(stage, part), {
          throwIfNoEntry: false,
        })?.isSymbolicLink() === true
      )
        throw new CliError(
          EXIT.problem,
          `writable names ${path}, and ${part} is a link in the release: name the folder that it points to`,
        );
}

function refuseLinks(links: readonly string[]): CliError {
  const more = links.length - MAX_NAMED;
  return new CliError(
    EXIT.problem,
    `links in the release point outside of it: ${links.slice(0, MAX_NAMED).join(", ")}${more > 0 ? ` and ${more} more` : ""}. ` +
      "Let the build copy what they point to (npm install --install-links, pnpm deploy, a bundler)",
  );
}

function isExecutable(path: string): boolean {
  return (lstatSync(path).mode & 0o111) !== 0;
}

function isLibrary(path: string): boolean {
  return /\.(node|so(\.\d+)*)$/.test(path);
}

function readArchitecture(path: string): Architecture | undefined {
  const head = Buffer.alloc(MACHINE_OFFSET + 2);
  const file = openSync(path, "r");
  try {
    if (readSync(file, head) < head.length || head.readUInt32BE(0) !== ELF)
      return undefined;
    return MACHINES.get(head.readUInt16LE(MACHINE_OFFSET));
  } finally {
    closeSync(file);
  }
}
