import type { Redis } from "ioredis";
import type { Keys } from "../../../lib/redis/keys.js";
import { LEASE_MS } from "../../../lib/flag/lease-reading.js";
import type { Logger } from "../../../lib/program/log.js";

const RENEW_INTERVAL_MS = 900;

/**
 * Renews our lease, or takes a free one, if this monitor may also make each write of a flip. A full Redis refuses the SET,
 * but not a PEXPIRE. A lease without a time to live counts as free: no monitor wrote it.
 *
 * KEYS lease, epoch counter, flag, info, recovery, events, outbox
 * ARGV holder, time to live in ms, our lease's value or '', our last epoch
 */
const HOLD = `
local writes = {
  {'SET', KEYS[3], 'false'}, {'HSET', KEYS[4], 'value', 'false'}, {'SET', KEYS[5], ''},
  {'XADD', KEYS[6], '*', 'kind', 'flip'}, {'XADD', KEYS[7], '*', 'kind', 'flip'},
}
for _, write in ipairs(writes) do
  if redis.acl_check_cmd and not redis.acl_check_cmd(unpack(write)) then
    return redis.error_reply('NOPERM this monitor may not ' .. write[1] .. ' ' .. write[2])
  end
end
local current = redis.call('GET', KEYS[1])
if current and redis.call('PTTL', KEYS[1]) < 0 then current = false end
if current and current == ARGV[3] then
  redis.call('SET', KEYS[1], current, 'PX', ARGV[2])
  return {current, 0}
end
if current then return {false, 0} end
local epoch = redis.call('INCR', KEYS[2])
if epoch <= tonumber(ARGV[4]) then
  epoch = ARGV[4] + 1
  redis.call('SET', KEYS[2], epoch)
end
local value = cjson.encode({holder = ARGV[1], epoch = epoch})
redis.call('SET', KEYS[1], value, 'PX', ARGV[2])
return {value, epoch}
`;

/** KEYS lease. ARGV our lease's value */
const RELEASE = `if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0`;

interface LeadershipOptions {
  redis: Redis;
  keys: Keys;
  flagName: string;
  holder: string;
  logger: Logger;
  /** `fence` is the lease's exact value: writes name it, and fail once the lease has another value. */
  onLead: (fence: string) => void;
  onLose: () => void;
}

/**
 * The lease means that its holder sees the traffic and can stop the canary. It lasts three seconds and is renewed only by
 * `hold`, after a round that could read and write. If Redis is away, this monitor stops leading when its lease expires by
 * its own monotonic clock, as after a pause of the process. The fence rejects its late writes.
 */
export class Leadership {
  readonly #options: LeadershipOptions;
  /** The value of our last lease. */
  #held: string | undefined;
  #validUntil = 0;
  #leads = false;
  /** The request for the lease in flight. */
  #asking: Promise<void> | undefined;
  #askedAt = -Infinity;
  #isClosed = false;
  #lastEpoch = 0;
  #expiry: NodeJS.Timeout | undefined;

  constructor(options: LeadershipOptions) {
    this.#options = options;
  }

  /** The lease's value while this monitor leads. */
  get fence(): string | undefined {
    return this.#leads && performance.now() < this.#validUntil
      ? this.#held
      : undefined;
  }

  /** Whether the lease was last asked for long enough ago. */
  get isDue(): boolean {
    return performance.now() - this.#askedAt >= RENEW_INTERVAL_MS;
  }

  /** Renews the lease, or takes it if it is free. Does nothing after `close`. @throws when Redis is away or refuses */
  async hold(): Promise<void> {
    if (this.#isClosed) return;
    // Two concurrent requests would each find the other's lease.
    this.#asking ??= this.#ask().finally(() => (this.#asking = undefined));
    await this.#asking;
  }

  /** Releases the lease, so that another monitor need not wait until it expires. */
  async close(): Promise<void> {
    this.#isClosed = true;
    // The answer may grant the lease.
    await this.#asking?.catch(() => undefined);
    this.#lose();
    const { redis, keys, logger } = this.#options;
    const held = this.#held;
    this.#held = undefined;
    if (held === undefined || redis.status !== "ready") return;
    try {
      await redis.eval(RELEASE, 1, keys.lease, held);
    } catch (err) {
      logger.debug({ err }, "the lease was not released: it will expire");
    }
  }

  /**
   * Stands by after a rejected write, which named `fence`. Does nothing if this monitor holds a newer lease by then.
   */
  stepDown(fence: string): void {
    if (!this.#leads || fence !== this.#held) return;
    const { logger, holder } = this.#options;
    logger.warn({ holder }, "the lease was lost: standing by");
    this.#held = undefined;
    this.#lose();
  }

  async #ask(): Promise<void> {
    const { redis, keys, flagName, holder } = this.#options;
    const { lease, leaseEpoch, flag, flagInfo, recovery } = keys;
    const named = [flag(flagName), flagInfo(flagName), recovery(flagName)];
    const written = [lease, leaseEpoch, ...named, keys.events, keys.outbox];
    const args = [holder, LEASE_MS, this.#held ?? "", this.#lastEpoch];
    const sentAt = performance.now();
    this.#askedAt = sentAt;
    const reply = await redis.eval(HOLD, written.length, ...written, ...args);
    const [held, epoch] = reply as [string | null, number];
    if (held !== this.#held) this.#lose();
    this.#held = held ?? undefined;
    if (held !== null) this.#take(held, epoch, sentAt);
  }

  #take(held: string, epoch: number, sentAt: number): void {
    this.#validUntil = sentAt + LEASE_MS;
    this.#lastEpoch = Math.max(this.#lastEpoch, epoch);
    const leftMs = this.#validUntil - performance.now();
    clearTimeout(this.#expiry);
    // A late answer leaves open whether the lease still holds: the next one will tell.
    if (this.#isClosed || leftMs <= 0) return;
    this.#expiry = setTimeout(() => this.#lose(), leftMs);
    if (this.#leads) return;
    this.#leads = true;
    const { holder, logger, onLead } = this.#options;
    logger.info({ holder, epoch: this.#lastEpoch }, "leading");
    onLead(held);
  }

  #lose(): void {
    clearTimeout(this.#expiry);
    if (!this.#leads) return;
    this.#leads = false;
    const { holder, logger, onLose } = this.#options;
    logger.info({ holder }, "no longer leading");
    onLose();
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
