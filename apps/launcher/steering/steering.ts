import { existsSync } from "node:fs";
import { join } from "node:path";
import { writeRelease } from "../launch.js";
import type { LaunchContext } from "../launch-context.js";
import { resumeFlag } from "../ledger.js";
import type { Fault } from "../options.js";
import type { Layout } from "../processes/programs.js";
import type { Source } from "../processes/service.js";
import { createScreenLogger } from "../screen/screen.js";
import { FileWatch } from "../source/watch-files.js";
import type { Canary } from "./canary.js";
import { listenForKeys, type Terminal } from "./keys.js";
import type { Traffic } from "./traffic.js";

const KEYS_HELP =
  "s slow canary · e errors · c crash · h hang · r resume · q quit";

const FAULT_SENTENCES: Readonly<Record<Fault, string>> = {
  slow: "the canary's responses take 0.3 s longer",
  errors: "the canary answers each request with 500",
  crash: "the canary's process is killed and stays down",
  hang: "the canary's process is suspended: it accepts connections and does not answer",
};

/** What a person does with the running canary, by keys, `--fault` and edits. */
export class Steering {
  readonly #canary: Canary | undefined;
  readonly #traffic: Traffic;
  readonly #layout: Layout;
  readonly #context: LaunchContext;
  /** One action at a time. */
  #last: Promise<void> = Promise.resolve();

  /** @param options.canary undefined if the user runs it */
  constructor(options: {
    canary: Canary | undefined;
    traffic: Traffic;
    layout: Layout;
    context: LaunchContext;
  }) {
    this.#canary = options.canary;
    this.#traffic = options.traffic;
    this.#layout = options.layout;
    this.#context = options.context;
  }

  /** Starts the traffic too, without which nobody would meet the fault. */
  inject(fault: Fault): void {
    const { screen } = this.#context;
    const canary = this.#canary;
    if (canary === undefined)
      screen.event("fault", "not for a canary that CANARY_URLS names");
    else
      this.#do(async () => {
        screen.event("fault", `${FAULT_SENTENCES[fault]}; r resumes it`);
        // A canary that restarts behind the hop would be slow for another reason.
        await this.#traffic.pause();
        await canary.inject(fault).finally(() => this.#traffic.start());
      });
  }

  resume(): void {
    this.#do(async () => {
      const { screen } = this.#context;
      await this.#canary?.resume();
      await resumeFlag(this.#layout, createScreenLogger(screen));
      screen.event("fault", "none: the canary runs as it is");
    });
  }

  /** Reads keys from a terminal. */
  listen(terminal: Terminal): void {
    const { screen, closers } = this.#context;
    const stopListening = listenForKeys(terminal, {
      s: () => this.inject("slow"),
      e: () => this.inject("errors"),
      c: () => this.inject("crash"),
      h: () => this.inject("hang"),
      r: () => this.resume(),
      q: () => process.kill(process.pid, "SIGINT"),
      "?": () => screen.show(KEYS_HELP),
    });
    closers.add("keys", stopListening);
    screen.show(`Keys: ${KEYS_HELP}\n`);
  }

  /**
   * Restarts the canary when files change, by what `open` returns then. A canary that cannot be built keeps running.
   *
   * @param open undefined if the change does not matter
   */
  watch(
    directory: string,
    open: (paths: readonly string[]) => Promise<Source | undefined>,
  ): void {
    const { screen, closers } = this.#context;
    const files = new FileWatch(directory, (paths) =>
      this.#do(async () => {
        const source = await open(paths);
        if (source === undefined) return;
        // Without the temporary files of editors.
        const left = paths.filter((path) => existsSync(join(directory, path)));
        const named = (left.length > 0 ? left : paths).join(", ");
        screen.event("change", `${named}: restarting the canary`);
        // Or the new version would be blamed for what it was not there to answer.
        await this.#traffic.pause();
        writeRelease("canary", this.#layout, source);
        await this.#canary
          ?.restart(source)
          .finally(() => this.#traffic.resume());
      }),
    );
    closers.add("file watch", () => files.close());
  }

  #do(action: () => Promise<void>): void {
    const { screen, signal } = this.#context;
    this.#canary?.stopWaiting();
    this.#last = this.#last.then(async () => {
      if (signal.aborted) return;
      try {
        await action();
      } catch (err) {
        const why = err instanceof Error ? err.message : String(err);
        const [first = "", ...rest] = why.split("\n");
        screen.event("error", first, { under: rest });
      }
    });
  }
}
