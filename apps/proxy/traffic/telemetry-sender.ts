import type { Redis } from "ioredis";
import { whyRefused } from "../../../lib/redis/redis.js";
import type { Keys } from "../../../lib/redis/keys.js";
import type { Logger } from "../../../lib/program/log.js";
import { encodeDecks } from "../../../lib/telemetry/decks.js";
import { encodeHostDecks } from "../../../lib/telemetry/host-decks.js";
import type { Ratio } from "../../../lib/telemetry/split-ratio.js";
import {
  SIDES,
  writeTelemetry,
  type Telemetry,
} from "../../../lib/telemetry/telemetry.js";
import { describeWeight } from "../dealing/weight.js";
import type { TrafficWindows } from "./window-counts.js";

export interface CanaryState {
  open: boolean;
  because: string | null;
}

export interface TelemetrySource {
  redis: Redis;
  keys: Keys;
  readSource: () => string;
  /** Ends the window and returns its counts, after those of weights that have ended. */
  takeWindows: () => Promise<TrafficWindows[]>;
  split: Ratio;
  /** The number of prod's hosts. */
  hosts: number;
  canaryState: () => CanaryState;
  logger: Logger;
}

/** Telemetry that Redis has not taken. */
export interface Untaken {
  /** Monotonic ms of the first of these windows. */
  since: number;
  /** Why, in Redis's words where it answered. */
  because: string;
}

/**
 * Sends a window for each side at every interval, and one more for each weight that has ended, also without traffic, as a sign of life. While Redis is away, the window
 * only gets longer, and nothing is lost. A window whose sending fails half-way is dropped, because sending it again might
 * count its requests twice. What Redis refuses is told, since a canary must not be served that nobody can watch.
 */
export class TelemetrySender {
  readonly #options: TelemetrySource;
  #timer: NodeJS.Timeout | undefined;
  #untaken: Untaken | undefined;
  #sending: Promise<void> = Promise.resolve();

  constructor(options: TelemetrySource) {
    this.#options = options;
  }

  /** Undefined while Redis takes each window. */
  get untaken(): Untaken | undefined {
    return this.#untaken;
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
    const { redis, keys, readSource, takeWindows, split, hosts, canaryState } =
      this.#options;
    if (redis.status !== "ready") {
      this.#miss(undefined, performance.now());
      return;
    }
    const { open: canaryOpen, because } = canaryState();
    const canary = { canaryOpen, because };
    const taken = await takeWindows();
    const [source, at] = [readSource(), Date.now()];
    const windows = taken.flatMap(({ weight, decks, hostDecks, ...counts }) => {
      const state = { ...describeWeight(weight, split), ...canary };
      return SIDES.map((target): Telemetry => {
        const sent =
          target === "canary"
            ? encodeDecks(decks)
            : { hostDecks: encodeHostDecks(hosts, hostDecks) };
        const data = { target, ...counts[target], ...state, ...sent };
        return { kind: "traffic", source, at, data };
      });
    });
    const sentAt = performance.now();
    try {
      await writeTelemetry(redis, keys, windows);
      this.#untaken = undefined;
    } catch (err) {
      this.#miss(err, sentAt);
    }
  }

  /** Logs each reason once. The connection logs outages itself. */
  #miss(err: unknown, at: number): void {
    const { redis, logger } = this.#options;
    const because = whyRefused(err, redis) ?? "Redis cannot be reached";
    const last = this.#untaken;
    this.#untaken = { since: last?.since ?? at, because };
    if (redis.status === "ready" && because !== last?.because)
      logger.warn({ because }, "telemetry is not taken: a window was lost");
  }
}
