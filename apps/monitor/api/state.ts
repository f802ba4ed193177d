import * as z from "zod";
import {
  stateReport,
  toHostReport,
  toProxyReport,
  type HeldChannel,
} from "../../../lib/telemetry/monitor-state.js";
import { toRolloutReport } from "../../../lib/rollout/rollout-report.js";
import { formatOdds } from "../../../lib/wording/units.js";
import { countTries } from "../control/recovery.js";
import { judgeSide } from "../control/judge-latency.js";
import { decideNow, type Store } from "../control/outlook.js";
import { readFlagRecord } from "../control/flag-record.js";
import type { PlannerOutlook } from "../plan/planner.js";
import type { StopKeeper } from "../telemetry/stop-figures.js";
import { verdictReport } from "../verdict/verdict.js";
import type { StateMessage } from "../messages/page-messages.js";

/** The answer of `GET /api/state`. Times are ISO 8601, UTC. */
export const monitorState = stateReport.extend({
  /** Null while this monitor does not lead, or with VERDICT=off. */
  verdict: verdictReport
    .extend({ mode: z.string(), odds: z.string() })
    .nullable(),
  /** Telemetry entries that this monitor could not read. */
  telemetry: z.object({ skipped: z.number() }),
});
export type MonitorState = z.infer<typeof monitorState>;

export interface StateOutlook extends PlannerOutlook {
  /** Why this monitor cannot judge. */
  obstacle: () => string | undefined;
  stops: Pick<StopKeeper, "figures">;
  skippedTelemetry: () => number;
  heldChannels: () => HeldChannel[];
}

/** @throws when Redis is away. */
export async function readState(
  { redis, keys }: Omit<Store, "ledger">,
  outlook: StateOutlook,
): Promise<MonitorState> {
  const { config, observations } = outlook;
  const [flag, pending] = await Promise.all([
    readFlagRecord(redis, keys, config.flagName),
    redis.xlen(keys.outbox),
  ]);
  const { rollout } = flag.rollout;
  const now = outlook.redisNow() ?? 0;
  const at = { now, sinceMs: flag.flippedAtMs };
  const prod = judgeSide(observations.side("prod"), config.latency, at);
  const decision = decideNow(outlook, flag, prod);
  return {
    now: new Date(now).toISOString(),
    silenceMs: config.silenceMs,
    flag: {
      name: config.flagName,
      value: flag.value,
      by: flag.by,
      reason: flag.reason,
      at: flag.at,
    },
    lease: flag.lease,
    obstacle: outlook.obstacle() ?? null,
    recovery: {
      mode: config.recovery.mode,
      nextTryAt:
        decision.nextTryAt === null
          ? null
          : new Date(decision.nextTryAt).toISOString(),
      latched: !flag.value && flag.recovery?.latched === true,
      waitsFor: decision.waitsFor,
      attempt: flag.value
        ? countTries(flag.recovery, observations.versions("canary"), now)
        : 1,
    },
    rollout: rollout === undefined ? null : toRolloutReport(rollout),
    sides: {
      prod: observations.sideFigures("prod", now),
      canary: observations.sideFigures("canary", now),
    },
    instances: observations.instanceFigures(now),
    stop: (flag.value ? undefined : outlook.stops.figures) ?? null,
    proxies: observations
      .proxies()
      .map(({ source, window, seenAt }) =>
        toProxyReport(source, window, seenAt),
      ),
    hosts: observations
      .hosts()
      .map(({ source, sample, seenAt, lastUnhealthyAt: unhealthyAt }) =>
        toHostReport(source, sample, { seenAt, unhealthyAt }),
      ),
    hostDifference:
      outlook.leadership.fence === undefined
        ? null
        : (outlook.verdicts.hostDifference ?? null),
    placebo:
      outlook.leadership.fence === undefined
        ? null
        : (outlook.verdicts.readPlacebo(now) ?? null),
    verdict: describeVerdict(outlook),
    outbox: { pending, held: outlook.heldChannels() },
    telemetry: { skipped: outlook.skippedTelemetry() },
  };
}

/** The state for dashboards. @throws when Redis is away. */
export async function readPageState(
  store: Omit<Store, "ledger">,
  outlook: StateOutlook,
  id: string,
): Promise<StateMessage> {
  const state = await readState(store, outlook);
  const { leadership, config } = outlook;
  return {
    now: Math.round(outlook.redisNow() ?? Date.now()),
    monitor: { id, leads: leadership.fence !== undefined },
    system: config.system.label,
    tokenRequired: config.adminToken !== undefined,
    state,
  };
}

function describeVerdict({
  verdicts,
  config,
  leadership,
}: StateOutlook): MonitorState["verdict"] {
  const { verdict } = verdicts;
  if (verdict === undefined || leadership.fence === undefined) return null;
  const odds = formatOdds(verdict.evidence);
  return { mode: config.verdict.mode, odds, ...verdict };
}
