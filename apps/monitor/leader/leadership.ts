import { ReplyError, type Redis } from "ioredis";
import type { Keys } from "../../../lib/redis/keys.js";
import { LEASE_MS } from "../../../lib/flag/lease-reading.js";
import type { Logger } from "../../../lib/program/log.js";

const RENEW_INTERVAL_MS = 1000;

/**
 * Renews our lease, or takes a free one. A lease without a time to live counts as free: no monitor wrote it.
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
  /** `fence` is the lease's exact value: writes name it, and fail once the lease has another value. */
  onLead: (fence: string) => void;
  onLose: () => void;
}

/**
 * If Redis is away, this monitor stops leading when its lease expires by its own monotonic clock, as after a pause of the
 * process. The fence rejects its late writes. While the lease is held, one monitor leads and the others are on standby.
 */
export class Leadership {
  readonly #redis: Redis;
  readonly #keys: Keys;
  readonly #holder: string;
  readonly #logger: Logger;
  readonly #events: LeadershipEvents;
  /** The value of our last lease. */
  #held: string | undefined;
  #validUntil = 0;
  #leads = false;
  /** The request for the lease in flight. */
  #asking: Promise<void> | undefined;
  #isClosed = false;
  #refused = false;
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
    return this.#leads && performance.now() < this.#validUntil
      ? this.#held
      : undefined;
  }

  /** Redis's clock, in ms since the epoch; undefined before it has answered once. */
  redisNow(): number | undefined {
    if (this.#clock === undefined) return undefined;
    return this.#clock.redisMs + performance.now() - this.#clock.monotonicMs;
  }

  /** Does nothing after `close`, which a signal during the program's start may call first. */
  start(): void {
    if (this.#isClosed) return;
    this.#redis.on("ready", () => this.#hold());
    this.#timer = setInterval(() => this.#hold(), RENEW_INTERVAL_MS);
    this.#hold();
  }

  /** Releases the lease, so that another monitor need not wait until it expires. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#isClosed = true;
    // The answer may grant the lease.
    await this.#asking;
    this.#lose();
    const held = this.#held;
    this.#held = undefined;
    if (held === undefined || this.#redis.status !== "ready") return;
    try {
      await this.#redis.eval(RELEASE, 1, this.#keys.lease, held);
    } catch (err) {
      this.#logger.debug({ err }, "the lease was not released: it will expire");
    }
  }

  /**
   * Stands by after a rejected write, which named `fence`. Does nothing if this monitor holds a newer lease by then.
   */
  stepDown(fence: string): void {
    if (!this.#leads || fence !== this.#held) return;
    this.#logger.warn(
      { holder: this.#holder },
      "the lease was lost: standing by",
    );
    this.#held = undefined;
    this.#lose();
  }

  #hold(): void {
    const sentAt = performance.now();
    if (sentAt >= this.#validUntil) this.#lose();
    if (this.#isClosed || this.#redis.status !== "ready") return;
    // Two concurrent requests would each find the other's lease.
    this.#asking ??= this.#ask(sentAt).finally(
      () => (this.#asking = undefined),
    );
  }

  async #ask(sentAt: number): Promise<void> {
    const args = [this.#holder, LEASE_MS, this.#held ?? "", this.#lastEpoch];
    try {
      const reply = await this.#redis.eval(
        HOLD,
        2,
        this.#keys.lease,
        this.#keys.leaseEpoch,
        ...args,
      );
      this.#refused = false;
      this.#take(reply as [string | null, number, number], sentAt);
    } catch (err) {
      this.#reportFailure(err);
    }
  }

  /** Ignores outages, which the connection logs. */
  #reportFailure(err: unknown): void {
    if (!(err instanceof ReplyError) || this.#refused) return;
    this.#refused = true;
    this.#logger.warn({ err }, "Redis refuses the lease: standing by");
  }

  #take(
    [held, redisMs, epoch]: [string | null, number, number],
    sentAt: number,
  ): void {
    const now = performance.now();
    this.#clock = { redisMs, monotonicMs: (sentAt + now) / 2 };
    if (held !== this.#held) this.#lose();
    this.#held = held ?? undefined;
    if (held === null) return;
    this.#validUntil = sentAt + LEASE_MS;
    this.#lastEpoch = Math.max(this.#lastEpoch, epoch);
    // A late answer leaves open whether the lease still holds: the next one will tell.
    if (this.#leads || this.#isClosed || now >= this.#validUntil) return;
    this.#leads = true;
    this.#logger.info(
      { holder: this.#holder, epoch: this.#lastEpoch },
      "leading",
    );
    this.#events.onLead(held);
  }

  #lose(): void {
    if (!this.#leads) return;
    this.#leads = false;
    this.#logger.info({ holder: this.#holder }, "no longer leading");
    this.#events.onLose();
  }
}

/** A write was rejected because the lease no longer had the fence's value. */
export class FencedError extends Error {
  readonly fence: string;

  constructor(fence: string) {
    super("another monitor holds the lease");
    this.fence = fence;
  }
}

/** @throws FencedError when this outcome is `fenced` */
export function refuseFenced(outcome: unknown, fence: string): void {
  if (outcome === "fenced") throw new FencedError(fence);
}
