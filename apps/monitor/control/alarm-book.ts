import type { Redis } from "ioredis";
import type { Keys } from "../../../lib/redis/keys.js";
import type { Ledger } from "../../../lib/flag/ledger.js";
import { refuseFenced } from "../leader/leadership.js";
import type { Trouble } from "../telemetry/roster.js";
import { describeEnd } from "./sentences.js";

/**
 * Raises each trouble once and clears it once, with an event and a mail each, across monitors and their restarts: what is
 * raised stands in Redis.
 */
export class AlarmBook {
  readonly #redis: Redis;
  readonly #keys: Keys;
  readonly #ledger: Ledger;

  constructor(options: { redis: Redis; keys: Keys; ledger: Ledger }) {
    this.#redis = options.redis;
    this.#keys = options.keys;
    this.#ledger = options.ledger;
  }

  /**
   * @param isOver whether a raised trouble that is not among `troubles` has ended, and not just become unknown
   * @throws FencedError
   */
  async reconcile(
    troubles: readonly Trouble[],
    isOver: (id: string) => boolean,
    fence: string,
  ): Promise<void> {
    const raised = new Set(await this.#redis.hkeys(this.#keys.alerts));
    for (const { id, kind, reason, data } of troubles) {
      if (!raised.delete(id))
        await this.#write({ kind, reason, data }, { id, op: "raise", fence });
    }
    for (const id of raised) {
      if (!isOver(id)) continue;
      await this.#write(
        { kind: "recovery", reason: describeEnd(id), data: { alert: id } },
        { id, op: "clear", fence },
      );
    }
  }

  async #write(
    event: {
      kind: Trouble["kind"] | "recovery";
      reason: string;
      data: Record<string, unknown>;
    },
    alert: { id: string; op: "raise" | "clear"; fence: string },
  ): Promise<void> {
    const { id, op, fence } = alert;
    const outcome = await this.#ledger.record(
      { ...event, by: "monitor" },
      { mail: true, fence, alert: { id, op } },
    );
    refuseFenced(outcome, fence);
  }
}
