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
  readonly #spec: ProgramSpec;
  readonly #reaper: Reaper;
  readonly #report: Report;
  readonly #stopping = new AbortController();
  #child: Child | undefined;
  #keeping: Promise<void> | undefined;

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
    const deadline = AbortSignal.timeout(READY_DEADLINE_MS);
    const ending = await this.#untilReady(
      child,
      AbortSignal.any([signal, deadline]),
    );
    signal.throwIfAborted();
    if (ending !== undefined) throw this.#startError(ending);
    if (deadline.aborted)
      throw this.#startError(
        `was not ready after ${READY_DEADLINE_MS / 1000} s`,
      );
    this.#keeping = this.#keepRunning(child);
  }

  /** May be called at any time, even twice. */
  async stop(graceMs: number): Promise<void> {
    this.#stopping.abort();
    await this.#child?.stop(graceMs);
    await this.#keeping;
  }

  #startError(why: string): LaunchError {
    const { name, logFile } = this.#spec;
    const lines = readLogTail(logFile, LOG_LINES_SHOWN);
    return new LaunchError(
      [
        `${name} ${why}. Last log lines:`,
        ...lines.map((line) => `  | ${line}`),
        `Full log: ${logFile}`,
      ].join("\n"),
    );
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
    while (child.ending === undefined && !signal.aborted) {
      if (await this.#spec.isReady()) return undefined;
      await sleep(PROBE_INTERVAL_MS);
    }
    return child.ending;
  }

  async #keepRunning(first: Child): Promise<void> {
    const { signal } = this.#stopping;
    let child = first;
    let failures = 0;
    for (;;) {
      const startedAt = performance.now();
      const ending = await child.ended;
      if (signal.aborted) return;
      const wasSteady = performance.now() - startedAt > STEADY_MS;
      failures = wasSteady ? 1 : failures + 1;
      const backoffMs = backOffMs(failures, RESTART);
      this.#reportEnding(ending, backoffMs);
      if (!(await pause(backoffMs, signal))) return;
      child = this.#spawn();
      void this.#reportReturn(child);
    }
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

/** @returns true after the time has passed, or false when the signal aborts */
function pause(ms: number, signal: AbortSignal): Promise<boolean> {
  return sleep(ms, true, { signal }).catch(() => false);
}
