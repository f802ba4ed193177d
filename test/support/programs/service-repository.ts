import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { createTempDirectory } from "../temp-directory.js";

const AUTHOR = ["-c", "user.name=A", "-c", "user.email=a@example.com"];

/** A Git repository with a service, removed after the test. */
export class ServiceRepository {
  readonly root = createTempDirectory();

  constructor() {
    this.git("init", "--quiet");
  }

  get file(): string {
    return join(this.root, "serin.yml");
  }

  write(files: Readonly<Record<string, string>>): void {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(this.root, path)), { recursive: true });
      writeFileSync(join(this.root, path), text);
    }
  }

  /** @returns the commit of all files */
  commit(): string {
    this.git("add", "--all");
    this.git(...AUTHOR, "commit", "--quiet", "--message", "A commit");
    return this.git("rev-parse", "HEAD");
  }

  git(...args: readonly string[]): string {
    const options = { cwd: this.root, encoding: "utf8" } as const;
    return execFileSync("git", args, options).trim();
  }
}
