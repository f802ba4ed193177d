import type { HeldChannel } from "../../../lib/telemetry/held-channel.js";
import type { StateReport } from "../../../lib/telemetry/monitor-state.js";
import { formatOdds } from "../../../lib/wording/odds.js";
import { judgeLatency } from "../control/judge-latency.js";
import { decideNow, type ControllerContext } from "../control/controller.js";
import { readFlagRecord, type FlagRecord } from "../control/flag-record.js";
import type { Verdict } from "../verdict/verdict.js";
import type { StateMessage } from "../messages/page-messages.js";
import type { HostMember, ProxyMember } from "../telemetry/roster.js";

/** What `GET /api/state` answers. Times are ISO 8601, UTC. */
export interface MonitorState extends StateReport {
  lease: FlagRecord["lease"];
  proxies: ReturnType<typeof describeProxy>[];
  hosts: ReturnType<typeof describeHost>[];
  /** Null while this monitor does not lead, or with VERDICT=off. */
  verdict: (Verdict & { mode: string; odds: string }) | null;
  /** Telemetry entries that this monitor could not read. */
  telemetry: { skipped: number };
}

export interface StateContext extends ControllerContext {
  skippedTelemetry: () => number;
  heldChannels: () => HeldChannel[];
}

/** @throws when Redis is away. */
export async function readState(context: StateContext): Promise<MonitorState> {
  const { redis, keys, config, observations, leadership } = context;
  const [flag, pending] = await Promise.all([
    readFlagRecord(redis, keys, config.flagName),
    redis.xlen(keys.outbox),
  ]);
  const now = leadership.redisNow() ?? 0;
  const prod = judgeLatency(
    observations.side("prod").figures(now, flag.flippedAtMs).latency,
    [],
    config.latency,
  );
  const decision = decideNow(context, flag, prod.isBreach);
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
    recovery: {
      mode: config.recovery.mode,
      nextTryAt:
        decision.nextTryAt === null
          ? null
          : new Date(decision.nextTryAt).toISOString(),
      latched: !flag.value && flag.recovery?.latched === true,
      waitsFor: decision.waitsFor,
    },
    sides: {
      prod: observations.sideFigures("prod", now),
      canary: observations.sideFigures("canary", now),
    },
    proxies: observations.proxies().map(describeProxy),
    hosts: observations.hosts().map(describeHost),
    verdict: describeVerdict(context),
    outbox: { pending, held: context.heldChannels() },
    telemetry: { skipped: context.skippedTelemetry() },
  };
}

/** The state as dashboards are told it. @throws when Redis is away. */
export async function readPageState(
  context: StateContext,
  id: string,
): Promise<StateMessage> {
  const state = await readState(context);
  const { leadership, config } = context;
  return {
    now: Math.round(leadership.redisNow() ?? Date.now()),
    monitor: { id, leads: leadership.fence !== undefined },
    tokenRequired: config.adminToken !== undefined,
    state,
  };
}

function describeVerdict({
  verdicts,
  config,
  leadership,
}: StateContext): MonitorState["verdict"] {
  const { verdict } = verdicts;
  if (verdict === undefined || leadership.fence === undefined) return null;
  const odds = formatOdds(verdict.evidence);
  return { mode: config.verdict.mode, odds, ...verdict };
}

function describeProxy({ source, window, seenAt }: ProxyMember) {
  return {
    id: source,
    split: window.split ?? null,
    canaryOpen: window.canaryOpen ?? null,
    because: window.because ?? null,
    seenAt: new Date(seenAt).toISOString(),
  };
}

function describeHost(member: HostMember) {
  const { source, sample, seenAt, lastUnhealthyAt } = member;
  const {
    target,
    host,
    pid,
    up,
    version,
    startedAt,
    cpuRatio,
    rssBytes,
    probe,
  } = sample;
  return {
    id: source,
    target,
    host,
    pid,
    up,
    version,
    startedAt,
    cpuRatio,
    rssBytes,
    probeOk: probe.ok,
    probeMs: probe.ms,
    unhealthyAt:
      lastUnhealthyAt === null ? null : new Date(lastUnhealthyAt).toISOString(),
    seenAt: new Date(seenAt).toISOString(),
  };
}
