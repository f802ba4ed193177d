import { Ledger, type LedgerEvent } from "../../../lib/flag/ledger.js";
import type { Keys } from "../../../lib/redis/keys.js";
import type { StateReport } from "../../../lib/telemetry/monitor-state.js";
import { CliError, EXIT } from "../exit-status.js";
import type { MonitorClient } from "./monitor-client.js";
import { explainRedisError, type RedisLink } from "./redis-link.js";
import { readReportFromRedis } from "./redis-report.js";

export interface Reading {
  report: StateReport;
  /** Why it is Redis's account and not the monitor's; undefined when it is the monitor's. */
  without: CliError | undefined;
}

/** The monitor's account of the state or, where it cannot be had, what Redis alone tells. */
export class StateSource {
  readonly #monitor: MonitorClient;
  readonly #link: RedisLink;
  readonly #keys: Keys;
  readonly #flagName: string;

  constructor(options: {
    monitor: MonitorClient;
    link: RedisLink;
    keys: Keys;
    flagName: string;
  }) {
    this.#monitor = options.monitor;
    this.#link = options.link;
    this.#keys = options.keys;
    this.#flagName = options.flagName;
  }

  /** @throws CliError when neither answers. */
  async read(): Promise<Reading> {
    try {
      const report = await this.#monitor.readStateOf(this.#flagName);
      return { report, without: undefined };
    } catch (err) {
      if (!(err instanceof CliError)) throw err;
      const report = await this.#readFromRedis(err.message);
      return { report, without: err };
    }
  }

  /** The ledger's newest events, newest first; none when Redis is away. */
  async readEvents(limit: number): Promise<LedgerEvent[]> {
    try {
      const redis = await this.#link.open();
      return await new Ledger(redis, this.#keys).readEvents({ limit });
    } catch {
      return []; // The page tells of what matters, and Redis's absence shows elsewhere on it.
    }
  }

  async #readFromRedis(without: string): Promise<StateReport> {
    try {
      const redis = await this.#link.open();
      return await readReportFromRedis(redis, this.#keys, this.#flagName);
    } catch (err) {
      const explained = explainRedisError(err, this.#link.address);
      if (!(explained instanceof CliError)) throw explained;
      throw new CliError(EXIT.unreachable, `${without}; ${explained.message}`);
    }
  }
}
