import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { parseJson } from "../../../lib/redis/stream-entry.js";

export interface SourceFile {
  path: string;
  text: string;
}

const MAX_SOURCES = 2000;
const MAX_BYTES = 300_000;
const MAX_LISTING_BYTES = 64_000_000;
const SOURCE = /\.([cm]?[jt]sx?|py|go|rb|php|java|kt|cs|rs|prisma)$/;
/** What runs at no user's request, or was written elsewhere. */
const NO_SOURCE =
  /(^|\/)(node_modules|vendor|dist|docs|tests?|__tests__|spec|e2e)\/|\.(test|spec|config)\.|_test\.go$/;

/** The folder of a service, as `serin init` reads it: what git ignores does not count. */
export class Project {
  readonly directory: string;
  #files: readonly string[] | undefined;
  #sources: readonly SourceFile[] | undefined;

  constructor(directory: string) {
    this.directory = directory;
  }

  get name(): string {
    return basename(this.directory);
  }

  has(path: string): boolean {
    return this.#stat(path) !== undefined;
  }

  /** Undefined if there is no such file. */
  read(path: string): string | undefined {
    if (this.#stat(path)?.isFile() !== true) return undefined;
    return readFileSync(join(this.directory, path), "utf8");
  }

  /** Undefined if there is no such file, or no JSON in it. */
  readJson(path: string): unknown {
    return parseJson(this.read(path));
  }

  /** The first of these files that exists. */
  readFirst(paths: readonly string[]): SourceFile | undefined {
    for (const path of paths) {
      const text = this.read(path);
      if (text !== undefined) return { path, text };
    }
    return undefined;
  }

  /** The paths of all files, sorted. */
  files(): readonly string[] {
    return (this.#files ??= this.#listFiles());
  }

  /** What the service runs, in any language; of a large repository a part. */
  sources(): readonly SourceFile[] {
    return (this.#sources ??= this.files()
      .filter((path) => SOURCE.test(path) && !NO_SOURCE.test(path))
      .filter((path) => (this.#stat(path)?.size ?? Infinity) <= MAX_BYTES)
      .slice(0, MAX_SOURCES)
      .map((path) => ({ path, text: this.read(path) ?? "" })));
  }

  /** The nearest folder above that is wanted; the root of the git repository is the last. */
  findAbove(isWanted: (folder: Project) => boolean): Project | undefined {
    const above = new Project(dirname(this.directory));
    if (this.has(".git") || above.directory === this.directory)
      return undefined;
    return isWanted(above) ? above : above.findAbove(isWanted);
  }

  /** The root of the git repository; without one, the folder. */
  findRepository(): Project {
    if (this.has(".git")) return this;
    return this.findAbove((folder) => folder.has(".git")) ?? this;
  }

  #stat(path: string) {
    return statSync(join(this.directory, path), { throwIfNoEntry: false });
  }

  #listFiles(): string[] {
    const { status, stdout } = spawnSync(
      "git",
      ["ls-files", "-z", "--cached", "--others", "--exclude-standard"],
      { cwd: this.directory, encoding: "utf8", maxBuffer: MAX_LISTING_BYTES },
    );
    const paths =
      status === 0 ? stdout.split("\0") : walk(this.directory, ["."]);
    return paths.filter((path) => this.has(path) && path !== "").sort();
  }
}

/** For a folder that is no git repository. */
function walk(root: string, folders: readonly string[]): string[] {
  return folders.flatMap((folder) => {
    const entries = readdirSync(join(root, folder), { withFileTypes: true });
    const visible = entries.filter(
      ({ name }) => name !== "node_modules" && !name.startsWith("."),
    );
    const pathOf = ({ name }: { name: string }) => join(folder, name);
    return [
      ...visible.filter((it) => it.isFile()).map(pathOf),
      ...walk(root, visible.filter((it) => it.isDirectory()).map(pathOf)),
    ];
  });
}
