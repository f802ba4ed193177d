import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { createTempDirectory } from "./temp-directory.js";

/** Git's environment without this machine's settings. */
const GIT_ENVIRONMENT = {
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_CONFIG_NOSYSTEM: "1",
  GIT_AUTHOR_NAME: "Tester",
  GIT_AUTHOR_EMAIL: "tester@example.com",
  GIT_COMMITTER_NAME: "Tester",
  GIT_COMMITTER_EMAIL: "tester@example.com",
};

/** A git repository with a working tree, removed after the test. */
export class GitRepository {
  readonly path = createTempDirectory();
  /** For programs that run git in it. */
  readonly env = { ...GIT_ENVIRONMENT, HOME: this.path, PWD: this.path };

  constructor() {
    this.git("init", "--quiet", "--initial-branch=main");
  }

  /** @returns the output, trimmed @throws if git fails */
  git(...args: readonly string[]): string {
    const env = { PATH: process.env.PATH, ...this.env };
    return execFileSync("git", args, {
      cwd: this.path,
      env,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
    }).trim();
  }

  write(name: string, content: string, mode?: number): void {
    const path = this.#prepare(name);
    writeFileSync(path, content);
    if (mode !== undefined) chmodSync(path, mode);
  }

  link(name: string, target: string): void {
    symlinkSync(target, this.#prepare(name));
  }

  /** Commits the whole working tree. @returns the commit */
  commit(message = "a change"): string {
    this.git("add", "--all");
    this.git("commit", "--quiet", "--allow-empty", "--message", message);
    return this.at("HEAD");
  }

  /** The commit that a ref points to; empty if there is none. */
  at(ref: string): string {
    try {
      return this.git("rev-parse", "--verify", "--quiet", ref);
    } catch {
      return "";
    }
  }

  #prepare(name: string): string {
    const path = join(this.path, name);
    mkdirSync(dirname(path), { recursive: true });
    return path;
  }
}
