import type { Redis } from "ioredis";
import {
  counter,
  gauge,
  summary,
  type Family,
  type Sample,
} from "../../../lib/program/metrics.js";
import type { Keys } from "../../../lib/redis/keys.js";
import type {
  PlaceboReport,
  SideSummary,
} from "../../../lib/telemetry/monitor-state.js";
import { isOver, PHASES, type Rollout } from "../../../lib/rollout/rollout.js";
import { CANARY_SHARE_HELP } from "../../../lib/telemetry/split-ratio.js";
import { SIDES, type Side } from "../../../lib/telemetry/telemetry.js";
import { ALERT_TYPES, typeOfAlert } from "../alert/alerts.js";
import type { CourierTotals } from "../alert/courier.js";
import { readFlagRecord } from "../control/flag-record.js";
import type { EventTally } from "../telemetry/event-tally.js";
import type { Verdict } from "../verdict/verdict.js";

const OUTCOMES = [
  ...(["healthy", "insufficient", "warming", "worse"] as const),
  ...(["split broken", "stopped"] as const),
];

/** Undefined while Redis is away, because old figures would mislead. */
export type StoredFigures = Awaited<ReturnType<typeof readStoredFigures>>;

export interface MonitorFigures {
  system: { name: string; environment: string };
  stored: StoredFigures;
  leads: boolean;
  sides: Record<Side, SideSummary>;
  /** Undefined while this monitor does not lead, or with VERDICT=off. */
  verdict: Verdict | undefined;
  placebo: PlaceboReport | undefined;
  tally: Pick<EventTally, "kinds" | "flips">;
  couriers: readonly Readonly<CourierTotals>[];
  skippedTelemetry: number;
}

export async function readStoredFigures(
  { redis, keys }: { redis: Redis; keys: Keys },
  flagName: string,
) {
  try {
    const [record, outboxPending, alerts] = await Promise.all([
      readFlagRecord(redis, keys, flagName),
      redis.xlen(keys.outbox),
      redis.hkeys(keys.alerts),
    ]);
    const { value, lease } = record;
    const { rollout } = record.rollout;
    const known = { flag: value, lease, outboxPending, alerts };
    return { ...known, ...(rollout && { rollout }) };
  } catch {
    return undefined;
  }
}

/** The monitor's metrics, without those whose value is unknown at present. */
export function toMonitorFamilies(figures: MonitorFigures): Family[] {
  const { system, stored, leads, sides, verdict, placebo, tally, couriers } =
    figures;
  const byChannel = (total: "sent" | "failures" | "putAside") =>
    couriers.map((totals): Sample => [
      totals[total],
      { channel: totals.channel },
    ]);
  return [
    gauge("serin_system_info", "What is watched; always 1.", [
      [1, { system: system.name, environment: system.environment }],
    ]),
    ...storedFamilies(stored),
    ...sideFamilies(sides),
    ...verdictFamilies(verdict, stored?.flag),
    ...placeboFamilies(placebo),
    gauge(
      "serin_monitor_leads",
      "Whether this monitor leads; the others are on standby.",
      [[Number(leads)]],
    ),
    counter(
      "serin_flips_total",
      "Flips of the flag since the start, by author.",
      byLabel("by", tally.flips),
    ),
    counter(
      "serin_events_total",
      "Events of the ledger since the start.",
      byLabel("kind", tally.kinds),
    ),
    counter(
      "serin_alerts_sent_total",
      "Events that this monitor has delivered.",
      byChannel("sent"),
    ),
    counter(
      "serin_alert_failures_total",
      "Failed tries to deliver an event.",
      byChannel("failures"),
    ),
    counter(
      "serin_alerts_put_aside_total",
      "Events given up after repeated refusals.",
      byChannel("putAside"),
    ),
    counter(
      "serin_telemetry_skipped_total",
      "Telemetry entries that this monitor could not read.",
      [[figures.skippedTelemetry]],
    ),
  ];
}

function storedFamilies(stored: StoredFigures): Family[] {
  if (stored === undefined) return [];
  const { flag, lease, outboxPending, alerts, rollout } = stored;
  const raised = (alert: string) =>
    alerts.filter((id) => typeOfAlert(id) === alert).length;
  return [
    gauge("serin_flag", "The feature flag: 1 is on.", [[Number(flag)]]),
    ...rolloutFamilies(rollout),
    gauge(
      "serin_lease_age_seconds",
      "Time since the leading monitor renewed its lease; absent when none leads.",
      lease === null ? [] : [[lease.ageMs / 1000]],
    ),
    gauge(
      "serin_outbox_pending",
      "Events that wait for delivery by any channel.",
      [[outboxPending]],
    ),
    gauge(
      "serin_alerts_raised",
      "Raised alerts.",
      ALERT_TYPES.map((alert): Sample => [raised(alert), { alert }]),
    ),
  ];
}

function rolloutFamilies(rollout: Rollout | undefined): Family[] {
  if (rollout === undefined) return [];
  const { id, phase, step, weight, spec } = rollout;
  return [
    gauge(
      "serin_rollout_phase",
      "The current or last rollout: 1 for its phase, 0 for the others.",
      PHASES.filter((name) => name !== "Superseded").map((name): Sample => [
        Number(name === phase),
        { rollout: String(id), phase: name },
      ]),
    ),
    gauge(
      "serin_rollout_step",
      "The steps of the rollout that are done, and all of them.",
      [
        [step, { steps: "done" }],
        [spec.rollout.steps.length, { steps: "all" }],
      ],
    ),
    gauge(
      "serin_rollout_weight_ratio",
      "The canary's share by the rollout; 1 is all.",
      isOver(rollout) ? [] : [[weight / 100]],
    ),
  ];
}

function sideFamilies(sides: Record<Side, SideSummary>): Family[] {
  const all = sides.prod.requests + sides.canary.requests;
  return [
    gauge(
      "serin_canary_share",
      CANARY_SHARE_HELP,
      all === 0 ? [] : [[sides.canary.requests / all, { kind: "actual" }]],
    ),
    gauge(
      "serin_side_requests",
      "Requests within the monitor's window.",
      SIDES.map((target): Sample => [sides[target].requests, { target }]),
    ),
    gauge(
      "serin_side_error_ratio",
      "Share of failed requests within the monitor's window; 1 is all.",
      SIDES.flatMap((target): Sample[] => {
        const { requests, errors } = sides[target];
        return requests === 0 ? [] : [[errors / requests, { target }]];
      }),
    ),
    gauge(
      "serin_side_without_feature_ratio",
      "Share of requests within the monitor's window that were turned away because the flag is off. They are no errors.",
      SIDES.flatMap((target): Sample[] => {
        const { requests, withoutFeature = 0 } = sides[target];
        return requests === 0 ? [] : [[withoutFeature / requests, { target }]];
      }),
    ),
    summary(
      "serin_side_latency_seconds",
      "Quantiles of the latency within the monitor's window.",
      SIDES.flatMap((target) => quantiles(target, sides[target])),
    ),
  ];
}

function quantiles(target: Side, side: SideSummary): Sample[] {
  const { p50Ms, p95Ms, p99Ms } = side;
  return Object.entries({ 0.5: p50Ms, 0.95: p95Ms, 0.99: p99Ms }).flatMap(
    ([quantile, ms]): Sample[] =>
      ms === null ? [] : [[ms / 1000, { target, quantile }]],
  );
}

function verdictFamilies(
  verdict: Verdict | undefined,
  flag: boolean | undefined,
): Family[] {
  if (verdict === undefined) return [];
  const { evidence, evidenceToStop } = verdict;
  // The verdict may be from just before the stop.
  const outcome = flag === false ? "stopped" : verdict.outcome;
  return [
    gauge(
      "serin_verdict_evidence",
      "Evidence that the canary is worse than prod: natural logarithm of the odds.",
      [[evidence]],
    ),
    gauge(
      "serin_verdict_evidence_to_stop",
      "Evidence at which the canary is stopped.",
      [[evidenceToStop]],
    ),
    gauge(
      "serin_verdict_outcome",
      "1 for the current outcome, 0 for the others.",
      OUTCOMES.map((name): Sample => [
        Number(name === outcome),
        { outcome: name },
      ]),
    ),
  ];
}

function placeboFamilies(placebo: PlaceboReport | undefined): Family[] {
  if (placebo === undefined) return [];
  return [
    gauge(
      "serin_placebo_comparisons",
      "Comparisons of a prod host with the others over the last day.",
      [[placebo.comparisons]],
    ),
    gauge("serin_placebo_stopped", "Those that would have stopped a release.", [
      [placebo.stopped],
    ]),
  ];
}

function byLabel(label: string, counts: ReadonlyMap<string, number>): Sample[] {
  return [...counts].map(([value, count]) => [count, { [label]: value }]);
}
