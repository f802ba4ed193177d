import type { Redis } from "ioredis";
import type { Keys } from "../../lib/keys.js";
import type { Logger } from "../../lib/log.js";

const LEASE_MS = 3000;
const RENEW_INTERVAL_MS = 1000;

/**
 * Renews the lease if it is ours, takes it if it is nobody's. One without a time to live is not a monitor's.
 *
 * KEYS lease, epoch counter
 * ARGV holder, time to live in ms, our lease's value or '', our last epoch
 */
const HOLD = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local current = redis.call('GET', KEYS[1])
if current and redis.call('PTTL', KEYS[1]) < 0 then current = false end
if current and current == ARGV[3] then
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
  return {current, now, 0}
end
if current then return {false, now, 0} end
local epoch = redis.call('INCR', KEYS[2])
if epoch <= tonumber(ARGV[4]) then
  epoch = ARGV[4] + 1
  redis.call('SET', KEYS[2], epoch)
end
local value = cjson.encode({holder = ARGV[1], epoch = epoch})
redis.call('SET', KEYS[1], value, 'PX', ARGV[2])
return {value, now, epoch}
`;

/** KEYS lease. ARGV our lease's value */
const RELEASE = `if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0`;

export interface LeadershipEvents {
  /** `fence` is the lease's exact value: writes name it, and fail once it no longer stands. */
  onLead: (fence: string) => void;
  onLose: () => void;
}

/**
 * Contends for the lease, so that one monitor acts and the others stand by. A monitor whose lease ran out by its own
 * monotonic clock (it was paused, or Redis is away) does not lead, before it has asked anybody; whatever it still tries to
 * write is refused by the fence.
 */
export class Leadership {
  readonly #redis: Redis;
  readonly #keys: Keys;
  readonly #holder: string;
  readonly #logger: Logger;
  readonly #events: LeadershipEvents;
  #fence: string | undefined;
  #validUntil = 0;
  #isAsking = false;
  #lastEpoch = 0;
  #timer: NodeJS.Timeout | undefined;
  #clock: { redisMs: number; monotonicMs: number } | undefined;

  constructor(options: {
    redis: Redis;
    keys: Keys;
    holder: string;
    logger: Logger;
    events: LeadershipEvents;
  }) {
    this.#redis = options.redis;
    this.#keys = options.keys;
    this.#holder = options.holder;
    this.#logger = options.logger;
    this.#events = options.events;
  }

  /** The lease's value while this monitor leads. */
  get fence(): string | undefined {
    return performance.now() < this.#validUntil ? this.#fence : undefined;
  }

  /** Redis's clock, in ms since the epoch; undefined before it has answered once. */
  redisNow(): number | undefined {
    if (this.#clock === undefined) return undefined;
    return this.#clock.redisMs + performance.now() - this.#clock.monotonicMs;
  }

  start(): void {
    this.#redis.on("ready", () => void this.#hold());
    this.#timer = setInterval(() => void this.#hold(), RENEW_INTERVAL_MS);
    void this.#hold();
  }

  /** Gives the lease up, so that another monitor need not wait until it runs out. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    const fence = this.#fence;
    this.#lose();
    if (fence !== undefined && this.#redis.status === "ready")
      await this.#redis.eval(RELEASE, 1, this.#keys.lease, fence);
  }

  /** A write was refused by the fence: the lease is another's. */
  stepDown(): void {
    this.#logger.warn(
      { holder: this.#holder },
      "the lease was lost: standing by",
    );
    this.#lose();
  }

  async #hold(): Promise<void> {
    const sentAt = performance.now();
    if (sentAt >= this.#validUntil) this.#lose();
    // Two requests at once would each find the other's lease.
    if (this.#redis.status !== "ready" || this.#isAsking) return;
    this.#isAsking = true;
    const args = [this.#holder, LEASE_MS, this.#fence ?? "", this.#lastEpoch];
    try {
      const reply = await this.#redis.eval(
        HOLD,
        2,
        this.#keys.lease,
        this.#keys.leaseEpoch,
        ...args,
      );
      this.#take(reply as [string | null, number, number], sentAt);
    } catch (err) {
      this.#logger.debug({ err }, "the lease could not be renewed");
    } finally {
      this.#isAsking = false;
    }
  }

  #take(
    [fence, redisMs, epoch]: [string | null, number, number],
    sentAt: number,
  ): void {
    this.#clock = { redisMs, monotonicMs: (sentAt + performance.now()) / 2 };
    if (fence === null) {
      this.#lose();
      return;
    }
    this.#validUntil = sentAt + LEASE_MS;
    if (fence === this.#fence) return;
    this.#lose();
    this.#fence = fence;
    this.#validUntil = sentAt + LEASE_MS;
    this.#lastEpoch = epoch;
    this.#logger.info({ holder: this.#holder, epoch }, "leading");
    this.#events.onLead(fence);
  }

  #lose(): void {
    if (this.#fence === undefined) return;
    this.#fence = undefined;
    this.#validUntil = 0;
    this.#logger.info({ holder: this.#holder }, "no longer leading");
    this.#events.onLose();
  }
}
