import { hostname } from "node:os";
import { HiddenListener } from "../../lib/program/find-listener.js";
import type { Logger } from "../../lib/program/log.js";
import type { HostSample, Side } from "../../lib/telemetry/telemetry.js";
import {
  advanceProcess,
  describeProcess,
  type AppProcess,
} from "./app-process.js";
import type { FindApp, LookUpLimits } from "./find-app.js";
import type { Probe } from "./probe.js";
import { forgetUsage, readUsage } from "./process-usage.js";

const MAX_TIMEOUT_MS = 5000;

export interface HostSamplerOptions {
  target: Side;
  probe: Probe;
  findApp: FindApp;
  intervalMs: number;
  /** Sends a sample or drops it; never throws. */
  send: (sample: HostSample) => Promise<void>;
  logger: Logger;
}

/**
 * Samples the app and its process at each interval. A process that cannot be read counts as not running, but one that is
 * hidden from this user or host counts as running while its probe succeeds. Samples never overlap: a slow one delays the next.
 */
export class HostSampler {
  readonly #options: HostSamplerOptions;
  readonly #limits: LookUpLimits;
  readonly #stop = new AbortController();
  #process: AppProcess | undefined;
  #unreadable = false;
  #isHidden = false;
  #timer: NodeJS.Timeout | undefined;
  #sampling: Promise<void> = Promise.resolve();

  constructor(options: HostSamplerOptions) {
    this.#options = options;
    this.#limits = {
      timeoutMs: Math.min(options.intervalMs, MAX_TIMEOUT_MS),
      signal: this.#stop.signal,
    };
  }

  /** Does nothing after `close()`. */
  start(): void {
    if (!this.#stop.signal.aborted) this.#sampling = this.#sample();
  }

  /** Aborts the current sample without sending it, because it would report false failures. */
  async close(): Promise<void> {
    this.#stop.abort();
    await this.#sampling;
    clearTimeout(this.#timer);
    forgetUsage();
  }

  async #sample(): Promise<void> {
    const { target, probe: ask, intervalMs, send } = this.#options;
    const startedAt = performance.now();
    const [, { version, ...probe }] = await Promise.all([
      this.#follow(),
      ask(this.#limits),
    ]);
    if (this.#stop.signal.aborted) return;
    const figures = describeProcess(this.#process);
    const up = this.#isHidden ? probe.ok : figures.up;
    await send({ target, host: hostname(), version, ...figures, up, probe });
    const restMs = startedAt + intervalMs - performance.now();
    this.#timer = setTimeout(() => this.start(), Math.max(0, restMs));
  }

  async #follow(): Promise<void> {
    const before = this.#process;
    this.#process = await this.#readProcess();
    if (this.#process?.startedAt === before?.startedAt) return;
    const { pid, startedAt } = describeProcess(this.#process);
    const message =
      pid === null ? "the app is not running" : "following the app";
    this.#options.logger.info({ pid, startedAt }, message);
  }

  async #readProcess(): Promise<AppProcess | undefined> {
    try {
      const app = await this.#options.findApp(this.#limits);
      const usage = app === null ? undefined : await readUsage(app);
      this.#unreadable = this.#isHidden = false;
      return usage && advanceProcess(this.#process, usage, Date.now());
    } catch (err) {
      if (!this.#unreadable && !this.#stop.signal.aborted)
        this.#options.logger.warn({ err }, "cannot read the app's process");
      this.#unreadable = true;
      this.#isHidden = err instanceof HiddenListener;
      return undefined;
    }
  }
}
