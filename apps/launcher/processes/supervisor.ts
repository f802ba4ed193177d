import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { backOffMs } from "../../../lib/program/back-off.js";
import { Child, type Ending, type ProgramSpec } from "./child.js";
import { LaunchError } from "../config.js";
import { readLogTail } from "./log-tail.js";
import type { Reaper } from "./reaper.js";

const READY_DEADLINE_MS = 30_000;
const PROBE_INTERVAL_MS = 50;
const RESTART = { firstMs: 500, maxMs: 10_000 };
/** After running this long, a program restarts with the shortest back-off. */
const STEADY_MS = 30_000;
const LOG_LINES_SHOWN = 12;

/** Shows an event: `died` or `back`, and a sentence. */
type Report = (kind: string, sentence: string) => void;

/**
 * Keeps one program running. `start` throws if the first start fails. After that, a program that ends is reported and
 * restarted, after a back-off that doubles from 0.5 s to 10 s.
 */
export class Supervisor {
  #spec: ProgramSpec;
  readonly #reaper: Reaper;
  readonly #report: Report;
  readonly #stopping = new AbortController();
  #child: Child | undefined;
  #keeping: Promise<void> | undefined;
  /** Aborts when the process is to be replaced, which needs no report and no back-off. */
  #replacing = new AbortController();
  /** Pending while the program stays ended. */
  #absence: Promise<void> = Promise.resolve();
  #endAbsence: () => void = () => undefined;
  /** Ends the wait of the last `restart`. */
  #endRestart: () => void = () => undefined;
  #hasCrashed = false;

  constructor(spec: ProgramSpec, reaper: Reaper, report: Report) {
    this.#spec = spec;
    this.#reaper = reaper;
    this.#report = report;
  }

  /**
   * Resolves when the program is ready.
   *
   * @throws LaunchError with its last log lines, or the reason of `signal`
   */
  async start(signal: AbortSignal): Promise<void> {
    const child = this.#spawn();
    const { readyWithinMs = READY_DEADLINE_MS, readyAt } = this.#spec;
    const deadline = AbortSignal.timeout(readyWithinMs);
    const ending = await this.#untilReady(
      child,
      AbortSignal.any([signal, deadline]),
    );
    signal.throwIfAborted();
    if (ending !== undefined) throw await this.#startError(ending, ending);
    if (deadline.aborted)
      throw await this.#startError(
        `was not ready after ${readyWithinMs / 1000} s${readyAt === undefined ? "" : ` at ${readyAt}`}`,
      );
    this.#keeping = this.#keepRunning(child);
  }

  /** Replaces the process. Resolves when the new one is ready, has ended, or is replaced itself. */
  async restart(spec: ProgramSpec, graceMs: number): Promise<void> {
    this.#spec = spec;
    this.#hasCrashed = false;
    this.#endRestart();
    const restarted = new Promise<void>((end) => (this.#endRestart = end));
    this.#replacing.abort();
    this.#endAbsence();
    await this.#child?.stop(graceMs);
    await restarted;
  }

  /** Whether `crash` was called after the last `restart`. */
  get hasCrashed(): boolean {
    return this.#hasCrashed;
  }

  /** Kills the process, and starts no other until `restart`. */
  crash(): void {
    this.#hasCrashed = true;
    this.#absence = new Promise((resolve) => (this.#endAbsence = resolve));
    this.signal("SIGKILL");
  }

  signal(signal: NodeJS.Signals): void {
    this.#child?.signal(signal);
  }

  /** May be called at any time, even twice. */
  async stop(graceMs: number): Promise<void> {
    this.#stopping.abort();
    this.#endAbsence();
    await this.#child?.stop(graceMs);
    await this.#keeping;
    this.#endRestart();
  }

  async #startError(why: string, ending?: Ending): Promise<LaunchError> {
    const { name, logFile, advice, cure } = this.#spec;
    const hints = [await cure?.(ending), advice];
    return createStartError(`${name} ${why}`, logFile, hints);
  }

  #spawn(): Child {
    this.#child = new Child(this.#spec, this.#reaper);
    return this.#child;
  }

  /** @returns how the program ended, if it ended before it was ready */
  async #untilReady(
    child: Child,
    signal: AbortSignal,
  ): Promise<Ending | undefined> {
    const interrupted = Promise.race([
      child.ended,
      signal.aborted || once(signal, "abort"),
    ]).then(() => false);
    while (child.ending === undefined && !signal.aborted) {
      if (await Promise.race([this.#spec.isReady(), interrupted])) {
        await child.recordPid(this.#spec);
        return undefined;
      }
      await sleep(PROBE_INTERVAL_MS);
    }
    return child.ending;
  }

  async #keepRunning(first: Child): Promise<void> {
    let child = first;
    let failures = 0;
    for (;;) {
      const startedAt = performance.now();
      const ending = await child.ended;
      await this.#absence;
      if (this.#stopping.signal.aborted) return;
      const wasSteady = performance.now() - startedAt > STEADY_MS;
      failures = wasSteady || this.#replacing.signal.aborted ? 1 : failures + 1;
      await this.#waitBeforeRestart(ending, failures);
      if (this.#hasToStop()) return;
      this.#replacing = new AbortController();
      child = this.#spawn();
      void this.#reportReturn(child).then(this.#endRestart);
    }
  }

  #hasToStop(): boolean {
    return this.#stopping.signal.aborted;
  }

  async #waitBeforeRestart(ending: Ending, failures: number): Promise<void> {
    const replacing = this.#replacing.signal;
    if (replacing.aborted) return;
    const backoffMs = backOffMs(failures, RESTART);
    this.#reportEnding(ending, backoffMs);
    const signal = AbortSignal.any([this.#stopping.signal, replacing]);
    await sleep(backoffMs, undefined, { signal }).catch(() => undefined);
  }

  #reportEnding(ending: Ending, backoffMs: number): void {
    const { name, logFile } = this.#spec;
    const [last = "none"] = readLogTail(logFile, 1);
    this.#report(
      "died",
      `${name} ${ending}; restarting in ${backoffMs / 1000} s. Last log line: ${last}`,
    );
  }

  async #reportReturn(child: Child): Promise<void> {
    const ending = await this.#untilReady(child, this.#stopping.signal);
    if (ending === undefined && !this.#stopping.signal.aborted)
      this.#report("back", `${this.#spec.name} is ready again`);
  }
}

/** The error for a program that did not start: why, its last log lines, where the rest is, and what to check. */
export function createStartError(
  why: string,
  logFile: string,
  hints: readonly (string | undefined)[] = [],
): LaunchError {
  const lines = readLogTail(logFile, LOG_LINES_SHOWN);
  return new LaunchError(
    [
      `${why}. ${lines.length === 0 ? "It logged nothing." : "Last log lines:"}`,
      ...lines.map((line) => `  | ${line}`),
      ...hints.filter((hint) => hint !== undefined),
      `Full log: ${logFile}`,
    ].join("\n"),
  );
}
