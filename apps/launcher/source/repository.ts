import { execFile } from "node:child_process";
import { copyFile, rm } from "node:fs/promises";
import { resolve } from "node:path";
import { promisify } from "node:util";
import { formatRelease, versionIn } from "../../../lib/program/release.js";
import type { Environment } from "../../../lib/settings/settings.js";
import { LaunchError } from "../config.js";

const MAX_OUTPUT_BYTES = 16 * 1024 * 1024;
/** The same files give the same commit. */
const SNAPSHOT_AUTHOR = {
  GIT_AUTHOR_NAME: "serin dev",
  GIT_AUTHOR_EMAIL: "dev@serin.test",
  GIT_AUTHOR_DATE: "@0 +0000",
  GIT_COMMITTER_NAME: "serin dev",
  GIT_COMMITTER_EMAIL: "dev@serin.test",
  GIT_COMMITTER_DATE: "@0 +0000",
};

/** The Git repository that holds a service's folder. */
export class Repository {
  /** The top of the working tree. */
  readonly root: string;
  /** The service's folder below the root, with a slash at the end; empty for the root. */
  readonly prefix: string;
  readonly #env: Environment;

  private constructor(root: string, prefix: string, env: Environment) {
    this.root = root;
    this.prefix = prefix;
    this.#env = env;
  }

  /** @returns undefined if the folder is in no repository, or Git ignores it */
  static async open(
    folder: string,
    environment: Environment,
  ): Promise<Repository | undefined> {
    // In a hook, Git sets these for the hook's own repository.
    const env = Object.fromEntries(
      Object.entries(environment).filter(([name]) => !name.startsWith("GIT_")),
    );
    const outside = new Repository(folder, "", env);
    const root = await outside.#try("rev-parse", "--show-toplevel");
    if (root === undefined) return undefined;
    if ((await outside.#try("check-ignore", "--quiet", ".")) !== undefined)
      return undefined;
    const prefix = (await outside.#try("rev-parse", "--show-prefix")) ?? "";
    return new Repository(root, prefix, env);
  }

  async findCommit(revision: string): Promise<string | undefined> {
    const verify = ["rev-parse", "--verify", "--quiet", "--end-of-options"];
    return await this.#try(...verify, `${revision}^{commit}`);
  }

  async hasFolder(commit: string): Promise<boolean> {
    const folder = `${commit}:${this.prefix.replace(/\/$/, "")}`;
    return (await this.#try("cat-file", "-e", folder)) !== undefined;
  }

  /** @param paths relative to the service's folder */
  async ignoresAll(paths: readonly string[]): Promise<boolean> {
    const files = paths.map((path) => `${this.prefix}${path}`);
    const ignored = (await this.#try("check-ignore", ...files)) ?? "";
    return ignored.split("\n").filter(Boolean).length === files.length;
  }

  async hasChanges(): Promise<boolean> {
    return (await this.#run(["status", "--porcelain"])) !== "";
  }

  /** The release of a commit, as `serin release` names it. */
  async nameRelease(commit: string): Promise<string> {
    const show = ["show", "--no-patch", "--no-show-signature", "--format=%ct"];
    const committedAt = 1000 * Number(await this.#run([...show, commit]));
    const path = `${commit}:${this.prefix}package.json`;
    const version = versionIn(await this.#try("show", path));
    return formatRelease(version, { commit, committedAt });
  }

  /** A commit of all files in the working tree that Git does not ignore. It changes neither the index nor a branch. */
  async snapshot(): Promise<string> {
    const head = await this.findCommit("HEAD");
    const index = await this.#run(["rev-parse", "--git-path", "index"]);
    const copy = `${resolve(this.root, index)}.serin-dev-${process.pid}`;
    try {
      await copyFile(resolve(this.root, index), copy).catch(() => undefined);
      const env = { GIT_INDEX_FILE: copy, ...SNAPSHOT_AUTHOR };
      await this.#run(["add", "--all"], env);
      const tree = await this.#run(["write-tree"], env);
      if (head !== undefined && tree === (await this.#treeOf(head)))
        return head;
      const parent = head === undefined ? [] : ["-p", head];
      const message = ["-m", "The working tree"];
      return await this.#run(["commit-tree", tree, ...parent, ...message], env);
    } finally {
      await rm(copy, { force: true });
    }
  }

  /** Whether `directory` is a working tree of the commit. */
  async isAt(commit: string, directory: string): Promise<boolean> {
    return (await this.#headOf(directory)) === commit;
  }

  /** Makes `directory` a working tree of the commit. With `keepsIgnored`, what was built there for another commit stays. */
  async checkOut(
    commit: string,
    { directory, keepsIgnored }: { directory: string; keepsIgnored: boolean },
  ): Promise<void> {
    // The repository's hooks are for its own working tree.
    const git = ["-c", "core.hooksPath=/dev/null"];
    const within = [...git, "-C", directory];
    const before = await this.#headOf(directory);
    if (before === undefined) {
      await rm(directory, { recursive: true, force: true });
      // By force, because Git may remember a folder that is gone, and twice for one that was locked.
      const add = ["worktree", "add", "--force", "--force"];
      const quietly = ["--detach", "--quiet", directory, commit];
      await this.#run([...git, ...add, ...quietly]);
    } else if (before !== commit) {
      await this.#unlockIndex(directory);
      await this.#run([...within, "reset", "--hard", "--quiet", commit]);
      const clean = ["clean", keepsIgnored ? "-ffdq" : "-ffdxq"];
      await this.#run([...within, ...clean]);
    }
  }

  /** A Git that was killed leaves its lock behind. In this folder no other can be running. */
  async #unlockIndex(directory: string): Promise<void> {
    const path = ["rev-parse", "--git-path", "index.lock"];
    const lock = await this.#run(["-C", directory, ...path]);
    await rm(resolve(directory, lock), { force: true });
  }

  async #headOf(directory: string): Promise<string | undefined> {
    return await this.#try("-C", directory, "rev-parse", "HEAD");
  }

  async #treeOf(commit: string): Promise<string> {
    return await this.#run(["rev-parse", `${commit}^{tree}`]);
  }

  async #try(...args: readonly string[]): Promise<string | undefined> {
    return await this.#run(args).catch(() => undefined);
  }

  /** @throws LaunchError with git's own message, and the cure where it is known */
  async #run(args: readonly string[], env: Environment = {}): Promise<string> {
    try {
      const { stdout } = await promisify(execFile)("git", args, {
        cwd: this.root,
        env: { ...this.#env, ...env },
        maxBuffer: MAX_OUTPUT_BYTES,
      });
      return stdout.trim();
    } catch (err) {
      const { stderr = "", message } = err as Error & { stderr?: string };
      const why = stderr.trim() || message;
      const lock = /'(.+\.lock)': File exists/.exec(why)?.[1];
      throw new LaunchError(
        lock === undefined
          ? `git failed in ${this.root}: ${why}`
          : `git is locked in ${this.root}: wait for the git that runs there; if none does, remove ${lock}`,
      );
    }
  }
}
