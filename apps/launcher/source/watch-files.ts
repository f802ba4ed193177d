import { readdirSync, watch, type FSWatcher } from "node:fs";
import { join, relative } from "node:path";

const IGNORED = new Set([".git", "node_modules", "artifacts"]);
const QUIET_MS = 200;

/**
 * Reports changes in a folder, without those of packages and artifacts, when there were none for 0.2 s. It watches folder by
 * folder, because a recursive watch would include the files of all packages.
 */
export class FileWatch {
  readonly #root: string;
  readonly #onChange: (paths: string[]) => void;
  #changed = new Set<string>();
  readonly #watchers = new Map<string, FSWatcher>();
  #timer: NodeJS.Timeout | undefined;

  /** @param onChange gets the paths, relative to `root` */
  constructor(root: string, onChange: (paths: string[]) => void) {
    this.#root = root;
    this.#onChange = onChange;
    this.#add(root);
  }

  close(): void {
    clearTimeout(this.#timer);
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
  }

  #add(directory: string): void {
    if (this.#watchers.has(directory)) return;
    try {
      const watcher = watch(directory, (_event, name) =>
        this.#note(directory, name ?? ""),
      );
      watcher.on("error", () => this.#remove(directory));
      this.#watchers.set(directory, watcher);
      for (const entry of readdirSync(directory, { withFileTypes: true }))
        if (entry.isDirectory() && !IGNORED.has(entry.name))
          this.#add(join(directory, entry.name));
    } catch (err) {
      // It may be gone already.
      if ((err as NodeJS.ErrnoException).code !== "ENOENT") throw err;
    }
  }

  #remove(directory: string): void {
    this.#watchers.get(directory)?.close();
    this.#watchers.delete(directory);
  }

  #note(directory: string, name: string): void {
    if (IGNORED.has(name)) return;
    this.#changed.add(relative(this.#root, join(directory, name)));
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#rescan();
      const paths = [...this.#changed];
      this.#changed.clear();
      this.#onChange(paths);
    }, QUIET_MS);
  }

  /** Watches new folders, and forgets those that are gone. */
  #rescan(): void {
    const known = [...this.#watchers.keys()];
    for (const directory of known) {
      try {
        readdirSync(directory);
      } catch {
        this.#remove(directory);
      }
    }
    for (const directory of this.#watchers.keys()) this.#addBelow(directory);
  }

  #addBelow(directory: string): void {
    for (const entry of readdirSync(directory, { withFileTypes: true }))
      if (entry.isDirectory() && !IGNORED.has(entry.name))
        this.#add(join(directory, entry.name));
  }
}
