import { spawn, type ChildProcess } from "node:child_process";

/** Reads lines, each the complete list of the groups to end; at the end of the input it ends those of the last line. */
const SCRIPT = `
while read -r line; do groups=$line; done
for group in $groups; do kill -s KILL -- "-$group"; done
`;

/**
 * Ends the launcher's process groups when the launcher itself is gone, however it went: the pipe between the two closes
 * even after kill -9.
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
    // A reaper that somebody ended is missed only if the launcher does not stop in order.
    this.#shell.stdin?.on("error", () => undefined);
  }

  watch(group: number): void {
    this.#groups.add(group);
    this.#tell();
  }

  forget(group: number): void {
    this.#groups.delete(group);
    this.#tell();
  }

  /** Ends what is still watched, and the reaper. */
  async close(): Promise<void> {
    this.#shell.stdin?.end();
    await this.#ended;
  }

  #tell(): void {
    this.#shell.stdin?.write(`${[...this.#groups].join(" ")}\n`);
  }
}
