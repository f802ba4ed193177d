import { Ledger, type LedgerEvent } from "../../../lib/flag/ledger.js";
import type { Keys } from "../../../lib/redis/keys.js";
import type { StateReport } from "../../../lib/telemetry/monitor-state.js";
import { CliError, EXIT } from "../exit-status.js";
import type { MonitorClient } from "./monitor-client.js";
import { explainRedisError, type RedisLink } from "./redis-link.js";
import { readReportFromRedis } from "./redis-report.js";

export interface Reading {
  report: StateReport;
  /** Why the report comes from Redis only; undefined for the monitor's report. */
  without: CliError | undefined;
}

interface Sources {
  monitor: MonitorClient;
  link: RedisLink;
  keys: Keys;
  flagName: string;
}

/** Reads the state from the monitor, or from Redis if the monitor does not answer. */
export class StateSource {
  readonly #sources: Sources;

  constructor(sources: Sources) {
    this.#sources = sources;
  }

  /** @throws CliError if neither answers */
  async read(): Promise<Reading> {
    const { monitor, flagName } = this.#sources;
    try {
      const report = await monitor.readStateOf(flagName);
      return { report, without: undefined };
    } catch (err) {
      if (!(err instanceof CliError)) throw err;
      const report = await this.#readFromRedis(err.message);
      return { report, without: err };
    }
  }

  /** The ledger's newest events, newest first; none if Redis is unreachable. */
  async readEvents(limit: number): Promise<LedgerEvent[]> {
    const { link, keys } = this.#sources;
    try {
      return await new Ledger(await link.open(), keys).readEvents({ limit });
    } catch {
      return []; // The page shows an outage of Redis elsewhere.
    }
  }

  async #readFromRedis(without: string): Promise<StateReport> {
    const { link, keys, flagName } = this.#sources;
    try {
      return await readReportFromRedis(await link.open(), keys, flagName);
    } catch (err) {
      const explained = explainRedisError(err, link.address);
      if (!(explained instanceof CliError)) throw explained;
      throw new CliError(EXIT.unreachable, `${without}; ${explained.message}`);
    }
  }
}
