import type { Redis } from "ioredis";
import type { Keys } from "../../../lib/redis/keys.js";
import type { Logger } from "../../../lib/program/log.js";
import {
  SIDES,
  writeTelemetry,
  type Telemetry,
} from "../../../lib/telemetry/telemetry.js";
import type { TrafficWindows } from "./window-counts.js";

export interface CanaryState {
  open: boolean;
  because: string | null;
}

export interface TelemetrySource {
  redis: Redis;
  keys: Keys;
  source: string;
  /** Ends the window and returns its counts. */
  takeWindow: () => Promise<TrafficWindows>;
  split: string;
  canaryState: () => CanaryState;
  logger: Logger;
}

/**
 * Sends a window for each side at every interval, also without traffic, as a sign of life. While Redis is away, the window
 * only gets longer, and nothing is lost. A window whose sending fails half-way is dropped, because sending it again might
 * count its requests twice.
 */
export class TelemetrySender {
  readonly #options: TelemetrySource;
  #timer: NodeJS.Timeout | undefined;
  #sending: Promise<void> = Promise.resolve();

  constructor(options: TelemetrySource) {
    this.#options = options;
  }

  start(intervalMs: number): void {
    this.#timer = setInterval(() => {
      this.#sending = this.#sendWindow();
    }, intervalMs);
  }

  /** Sends the last window. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#sending;
    await this.#sendWindow();
  }

  async #sendWindow(): Promise<void> {
    const { redis, keys, source, takeWindow, split, canaryState, logger } =
      this.#options;
    if (redis.status !== "ready") return;
    const { open, because } = canaryState();
    const counts = await takeWindow();
    const at = Date.now();
    const state = { split, canaryOpen: open, because };
    const windows = SIDES.map((target): Telemetry => {
      const data = { target, ...counts[target], ...state };
      return { kind: "traffic", source, at, data };
    });
    try {
      await writeTelemetry(redis, keys, windows);
    } catch (err) {
      logger.warn({ err }, "a traffic window was lost");
    }
  }
}
