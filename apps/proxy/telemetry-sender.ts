import type { Redis } from "ioredis";
import type { Keys } from "../../lib/keys.js";
import type { Logger } from "../../lib/log.js";
import {
  SIDES,
  writeTelemetry,
  type Side,
  type Telemetry,
} from "../../lib/telemetry.js";
import type { TrafficCounts, TrafficRecorder } from "./traffic-recorder.js";

export interface CanaryState {
  open: boolean;
  because: string | null;
}

export interface TelemetrySource {
  redis: Redis;
  keys: Keys;
  source: string;
  recorder: TrafficRecorder;
  split: string;
  canaryState: () => CanaryState;
  /** Told of each window that ends, whether or not its sending succeeds. */
  onWindow: (counts: Record<Side, TrafficCounts>) => void;
  logger: Logger;
}

/**
 * Sends a window for each side at every interval, also without traffic, as a sign of life. While Redis is away the
 * window goes on: nothing is lost, it only gets longer. A window whose sending fails half-way is dropped, since sending
 * it again might count its requests twice.
 */
export class TelemetrySender {
  readonly #options: TelemetrySource;
  #timer: NodeJS.Timeout | undefined;
  #sending: Promise<void> = Promise.resolve();

  constructor(options: TelemetrySource) {
    this.#options = options;
  }

  start(intervalMs: number): void {
    this.#timer = setInterval(() => this.#sendWindow(), intervalMs);
  }

  /** Sends what has been counted since the last window. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#sendWindow();
    await this.#sending;
  }

  #sendWindow(): void {
    const { redis, keys, source, recorder, split, canaryState, logger } =
      this.#options;
    if (redis.status !== "ready") return;
    const { open, because } = canaryState();
    const counts = recorder.takeWindow(performance.now());
    this.#options.onWindow(counts);
    const at = Date.now();
    const windows = SIDES.map((target): Telemetry => {
      const data = {
        target,
        ...counts[target],
        split,
        canaryOpen: open,
        because,
      };
      return { kind: "traffic", source, at, data };
    });
    this.#sending = writeTelemetry(redis, keys, windows).catch(
      (err: unknown) => {
        logger.warn({ err }, "a traffic window was lost");
      },
    );
  }
}
