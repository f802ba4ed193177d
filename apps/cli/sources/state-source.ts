import {
  isRepeatedByFlip,
  type LedgerEvent,
} from "../../../lib/flag/ledger-event.js";
import type { Rollout } from "../../../lib/rollout/rollout.js";
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

/** Where the state is read. */
export interface Sources {
  monitor: MonitorClient;
  link: RedisLink;
}

/** Reads the state from the monitor, or from Redis if the monitor does not answer. @throws CliError if neither answers */
export async function readState({ monitor, link }: Sources): Promise<Reading> {
  try {
    return { report: await monitor.readOwnState(), without: undefined };
  } catch (err) {
    if (!(err instanceof CliError)) throw err;
    return { report: await readWithout(err.message, link), without: err };
  }
}

/** The ledger's newest events for people, newest first; none if Redis is unreachable. */
export async function readNewestEvents(
  { link }: Sources,
  limit: number,
): Promise<LedgerEvent[]> {
  try {
    const { ledger } = await link.open();
    const where = (event: LedgerEvent) => !isRepeatedByFlip(event);
    return await ledger.readEvents({ limit, where });
  } catch {
    return []; // The page shows an outage of Redis elsewhere.
  }
}

/** The rollout of the flag; undefined if there is none, or if Redis is unreachable. */
export async function readRollout({
  link,
}: Sources): Promise<RolloutMoment | undefined> {
  try {
    const { rollouts } = await link.open();
    const { rollout, now } = await rollouts.read();
    return rollout && { rollout, now };
  } catch {
    return undefined; // The page shows an outage of Redis elsewhere.
  }
}

export interface RolloutMoment {
  rollout: Rollout;
  /** Ms since the epoch, by Redis's clock. */
  now: number;
}

/** What began the stop that lasts. */
export type Stop = Pick<LedgerEvent, "id" | "by" | "reason" | "data">;

/** Undefined while the canary may run, or if neither the monitor nor Redis tells. */
export async function readStop(
  { monitor, link }: Sources,
  { report, without }: Reading,
): Promise<Stop | undefined> {
  const { name, value } = report.flag;
  if (value) return undefined;
  const newest = { kind: "flip", limit: 100 } as const;
  try {
    const flips: Stop[] =
      without === undefined
        ? await monitor.readEvents(newest)
        : await (await link.open()).ledger.readEvents(newest);
    const own = flips.filter(({ data }) => data.flag === name);
    const resume = own.findIndex(({ data }) => data.value === true);
    // A person may have confirmed the stop since.
    return own.slice(0, resume === -1 ? undefined : resume).at(-1);
  } catch {
    return undefined; // The page shows the outage elsewhere.
  }
}

async function readWithout(
  monitor: string,
  link: RedisLink,
): Promise<StateReport> {
  try {
    return await readReportFromRedis(await link.open());
  } catch (err) {
    const explained = explainRedisError(err, link.address);
    if (!(explained instanceof CliError)) throw explained;
    throw new CliError(EXIT.unreachable, `${monitor}; ${explained.message}`);
  }
}
