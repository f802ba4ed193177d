import { setTimeout as sleep } from "node:timers/promises";
import type { Redis } from "ioredis";
import type { FlagReading } from "../../../lib/flag/flag-watch.js";
import type { Logger } from "../../../lib/program/log.js";
import type { Keys } from "../../../lib/redis/keys.js";
import { execAll } from "../../../lib/redis/redis.js";
import { entryTimeMs } from "../../../lib/redis/stream-entry.js";
import {
  writeTelemetry,
  type GateReceipt,
} from "../../../lib/telemetry/telemetry.js";

const COUNT_INTERVAL_MS = 20;

interface GateState {
  open: boolean;
  because: string | null;
  /** The canary's share in percent. */
  weight: number;
}

interface ReceiptOptions {
  redis: Redis;
  keys: Keys;
  flagName: string;
  source: string;
  readState: () => GateState;
  /** The number of requests that wait for the canary's response. */
  countWaiting: () => Promise<number>;
  logger: Logger;
}

/** A change of the gate, or of the weight. */
interface Change extends GateState {
  value: boolean;
  /** Whether the flag's value has changed. */
  isFlip: boolean;
  /** Monotonic ms. */
  at: number;
}

/**
 * Reports after a flip or a change of the weight when this proxy has followed, and when its last request on the canary has
 * ended. If Redis is away, no receipt is written: the gate never waits for one.
 */
export class GateReceipts {
  readonly #options: ReceiptOptions;
  readonly #closing = new AbortController();
  #isOpen = false;
  #openChangedAt = 0;
  #last: Change | undefined;

  constructor(options: ReceiptOptions) {
    this.#options = options;
  }

  /** Called after each reading of the flag and the lease. */
  look({ value, isOutdated, isWeightOutdated }: FlagReading): void {
    const now = performance.now();
    const state = this.#options.readState();
    if (state.open !== this.#isOpen) this.#openChangedAt = now;
    this.#isOpen = state.open;
    // During this read the gate is closed, or nothing is dealt, but only its result says what follows.
    if (isOutdated || isWeightOutdated) return;
    const last = this.#last;
    const isFlip = last !== undefined && last.value !== value;
    const isSame =
      last?.open === state.open &&
      last.because === state.because &&
      last.weight === state.weight;
    if (isSame && !isFlip) return;
    const at =
      last === undefined || this.#openChangedAt <= last.at
        ? now
        : this.#openChangedAt;
    const change = { ...state, value, isFlip, at };
    this.#last = change;
    this.#report(change).catch((err: unknown) => {
      if (!this.#closing.signal.aborted)
        this.#options.logger.warn({ err }, "a receipt was not written");
    });
  }

  close(): void {
    this.#closing.abort();
  }

  async #report(change: Change): Promise<void> {
    const { redis, countWaiting } = this.#options;
    if (redis.status !== "ready") return;
    const { open, because, weight, at } = change;
    const inFlight = open ? 0 : await countWaiting();
    const flip = change.isFlip ? await this.#readFlip(change) : undefined;
    const receipt = {
      open,
      because,
      weight,
      flip: null,
      afterMs: null,
      ...flip,
    };
    await this.#write({ ...receipt, inFlight, lastCanaryEndedMs: null });
    if (inFlight === 0) return;
    const { signal } = this.#closing;
    do {
      await sleep(COUNT_INTERVAL_MS, undefined, { ref: false, signal });
      if (this.#last !== change) return;
    } while ((await countWaiting()) > 0);
    const lastCanaryEndedMs = Math.round(performance.now() - at);
    await this.#write({ ...receipt, inFlight: 0, lastCanaryEndedMs });
  }

  /** Undefined for a value that was set directly in Redis. */
  async #readFlip(
    change: Change,
  ): Promise<{ flip: string; afterMs: number } | undefined> {
    const { redis, keys, flagName } = this.#options;
    const info = keys.flagInfo(flagName);
    const sentAt = performance.now();
    const [flip, value, [seconds, microseconds]] = (await execAll(
      redis.pipeline().hget(info, "event").hget(info, "value").time(),
    )) as [string | null, string | null, [string, string]];
    if (flip === null || value !== String(change.value)) return undefined;
    const redisMs = Number(seconds) * 1000 + Number(microseconds) / 1000;
    const readAt = (sentAt + performance.now()) / 2;
    const afterMs = redisMs - (readAt - change.at) - entryTimeMs(flip);
    return { flip, afterMs: Math.max(0, Math.round(afterMs * 10) / 10) };
  }

  async #write(data: GateReceipt["data"]): Promise<void> {
    const { redis, keys, source } = this.#options;
    const entry = { kind: "gate", source, at: Date.now(), data } as const;
    await writeTelemetry(redis, keys, [entry]);
  }
}
