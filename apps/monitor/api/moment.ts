import type { LedgerEvent } from "../../../lib/flag/ledger.js";
import { describeEvent } from "../../../lib/flag/ledger-event.js";
import { formatMs, formatOdds } from "../../../lib/wording/units.js";
import type { PastRollout } from "../../../lib/rollout/rollout-history.js";
import { nameRelease } from "../../../lib/wording/release-name.js";
import { formatTime, type Figure } from "../../../lib/wording/figures.js";
import {
  createNotice,
  type Notice,
  type NoticeSettings,
} from "../alert/message/notice.js";
import type { Report } from "../alert/message/report.js";
import type { RouteVerdict } from "../verdict/verdict.js";

/** An event of the past with what is known about it. */
export interface Moment {
  report: Report;
  /** The routes of its verdict; empty if it has none. */
  routes: readonly RouteVerdict[];
  /** The events of the minutes before and after it, newest first. */
  around: readonly LedgerEvent[];
}

/** What the event's message says, with the figures of each route and the events around it. */
export function createMomentNotice(
  { report, routes, around }: Moment,
  settings: NoticeSettings,
): Notice {
  return {
    ...createNotice(report, settings),
    actions: [{ label: "Open the dashboard", url: settings.dashboardUrl }],
    commands: [],
    details: [
      { title: "Routes", rows: routes.map(describeRoute) },
      { title: "Around it", rows: around.map(toRow) },
    ].filter(({ rows }) => rows.length > 0),
  };
}

/** All that the ledger has of a rollout, newest first, and those before and after it. */
export interface RolloutMoment {
  last: Moment;
  events: readonly LedgerEvent[];
  others: readonly PastRollout[];
}

export function createRolloutNotice(
  { last, events, others }: RolloutMoment,
  settings: NoticeSettings,
): Notice {
  return {
    ...createMomentNotice(last, settings),
    details: [
      { title: "Its steps", rows: events.map(toRow) },
      { title: "Routes", rows: last.routes.map(describeRoute) },
      { title: "Other rollouts", rows: others.map(describePast) },
    ].filter(({ rows }) => rows.length > 0),
  };
}

function describePast(past: PastRollout): Figure {
  const { rollout, candidate, phase, changedAt, reason } = past;
  const release = nameRelease(candidate) ?? candidate;
  return {
    label: `rollouts/${rollout}`,
    value: `${release}: ${phase} at ${formatTime(changedAt)}: ${reason}`,
  };
}

function describeRoute(verdict: RouteVerdict): Figure {
  const { route, because, canaryRequests, prodRequests } = verdict;
  const figures = [
    `p50 ${formatMs(verdict.canaryP50Ms)} (prod ${formatMs(verdict.prodP50Ms)})`,
    `p95 ${formatMs(verdict.canaryP95Ms)} (prod ${formatMs(verdict.prodP95Ms)})`,
    `requests ${canaryRequests} (prod ${prodRequests})`,
    because === null
      ? `evidence ${formatOdds(verdict.evidence)}`
      : `not compared: ${because}`,
  ];
  return { label: route, value: figures.join(", ") };
}

function toRow(event: LedgerEvent): Figure {
  return {
    label: formatTime(event.at),
    value: `${event.kind} by ${event.by}: ${describeEvent(event)}`,
  };
}
