import type { HostSample } from "../../../lib/telemetry/telemetry.js";
import { formatBytes } from "../../../lib/wording/units.js";
import { createAlert, type Alert } from "../alert/alerts.js";

/** Longer than garbage waits for its collection. */
const WINDOW_MS = 60_000;
/** A difference that small services may have. */
const FLOOR_BYTES = 64e6;

/** An app's process, as its agent has reported it. Times in ms by Redis's clock. */
interface Run {
  sample: HostSample;
  firstAt: number;
  /** Of the first sample. */
  startBytes: number;
  /** The samples of the last minute. */
  recent: { atMs: number; bytes: number }[];
}

/**
 * An alert where the canary's memory grows and prod's does not: for a minute each sample is above `ratio` times both what the
 * process had at its start and what prod has now, and 64 MB more. A canary that grows to prod's size only fills its caches.
 * Without samples of prod there is no alert.
 */
export class MemoryWatch {
  readonly #ratio: number;
  /** By agent. */
  readonly #runs = new Map<string, Run>();

  constructor(ratio: number) {
    this.#ratio = ratio;
  }

  heardHost(source: string, sample: HostSample, atMs: number): void {
    const bytes = sample.rssBytes;
    if (bytes === null) {
      this.#runs.delete(source);
      return;
    }
    const known = this.#runs.get(source);
    const run =
      known?.sample.pid === sample.pid
        ? known
        : { sample, firstAt: atMs, startBytes: bytes, recent: [] };
    run.sample = sample;
    run.recent = run.recent.filter((old) => atMs - old.atMs < WINDOW_MS);
    run.recent.push({ atMs, bytes });
    this.#runs.set(source, run);
  }

  /** @param now Redis's clock */
  alerts(now: number): Alert[] {
    const fresh = [...this.#runs].filter(
      ([, { recent }]) => now - (recent.at(-1)?.atMs ?? 0) < WINDOW_MS,
    );
    const prodBytes = Math.max(
      ...fresh
        .filter(([, { sample }]) => sample.target === "prod")
        .flatMap(([, { recent }]) => recent.map(({ bytes }) => bytes)),
    );
    if (prodBytes < 0) return [];
    return fresh.flatMap(([source, run]) => {
      const { sample, firstAt, startBytes, recent } = run;
      const { target, host, pid } = sample;
      const limit = this.#ratio * Math.max(startBytes, prodBytes) + FLOOR_BYTES;
      const leastBytes = Math.min(...recent.map(({ bytes }) => bytes));
      const isYoung = now - firstAt < WINDOW_MS;
      if (target !== "canary" || isYoung || leastBytes <= limit) return [];
      const rssBytes = sample.rssBytes ?? leastBytes;
      const reason = `the memory of the canary app on ${host} has grown from ${formatBytes(startBytes)} to ${formatBytes(rssBytes)}; prod's is ${formatBytes(prodBytes)}`;
      const figures = { rssBytes, startBytes, prodBytes };
      const data = { source, target, host, pid, ...figures };
      return [createAlert("memory", { of: source, reason, data })];
    });
  }
}
