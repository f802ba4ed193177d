import { spawn, type ChildProcess } from "node:child_process";

/** Reads lines, each with all groups to kill. At the end of the input it kills the groups of the last line. */
const SCRIPT = `
while read -r line; do groups=$line; done
for group in $groups; do kill -s KILL -- "-$group"; done
`;

/**
 * Kills the launcher's process groups when the launcher ends for any reason: the pipe between the two closes even after
 * kill -9.
 */
export class Reaper {
  readonly #shell: ChildProcess;
  readonly #ended: Promise<void>;
  readonly #groups = new Set<number>();

  constructor() {
    this.#shell = spawn("sh", ["-c", SCRIPT], {
      detached: true,
      stdio: ["pipe", "ignore", "ignore"],
    });
    this.#ended = new Promise((resolve) => {
      this.#shell.once("exit", () => resolve());
      this.#shell.once("error", () => resolve());
    });
    // A killed reaper matters only if the launcher crashes too.
    this.#shell.stdin?.on("error", () => undefined);
  }

  watch(group: number): void {
    this.#groups.add(group);
    this.#sendGroups();
  }

  forget(group: number): void {
    this.#groups.delete(group);
    this.#sendGroups();
  }

  /** Kills the groups that are still watched and ends the reaper. */
  async close(): Promise<void> {
    this.#shell.stdin?.end();
    await this.#ended;
  }

  #sendGroups(): void {
    this.#shell.stdin?.write(`${[...this.#groups].join(" ")}\n`);
  }
}
