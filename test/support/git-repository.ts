import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
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
    }).trim();
  }

  write(name: string, content: string, mode?: number): void {
    writeFileSync(join(this.path, name), content, { mode });
  }

  /** Commits the whole working tree. @returns the commit */
  commit(message: string): string {
    this.git("add", "--all");
    this.git("commit", "--quiet", "--allow-empty", "--message", message);
    return this.git("rev-parse", "HEAD");
  }
}
