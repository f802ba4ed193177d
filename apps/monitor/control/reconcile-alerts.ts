import type { NewEvent } from "../../../lib/flag/ledger.js";
import {
  createAlert,
  describeEnd,
  isOver,
  type Alert,
  type Senses,
} from "../alert/alerts.js";
import { refuseFenced } from "../leader/leadership.js";
import { describeWorse } from "../verdict/describe-worse.js";
import type { Stop } from "./find-stop.js";
import { shorten, type FlagRecord } from "./flag-record.js";
import { describeLatency, type LatencyJudgement } from "./judge-latency.js";
import type { Judgements, Outlook, Store } from "./outlook.js";

/** All alerts at present. */
export function findAlerts(
  outlook: Outlook,
  flag: FlagRecord,
  found: {
    judgements: Judgements;
    now: number;
    /** A stop that the rollout only reports. */
    unheeded: Stop | undefined;
  },
): Alert[] {
  const { observations, config, conductor } = outlook;
  const { judgements, now, unheeded } = found;
  const { prod } = judgements;
  const stopsForProd = flag.value && config.latency.sides.includes("prod");
  return [
    ...observations.alerts(),
    ...flagAlerts(flag, config.flagName),
    ...(stopsForProd ? [] : prodAlerts(prod, flag.value)),
    ...verdictAlerts(outlook, unheeded),
    ...conductor.alerts(flag, now),
  ];
}

/** What is known about alerts that are not found any more. */
export function senseEnds(
  { observations, verdicts }: Outlook,
  judgements: Judgements,
): Senses {
  return {
    hears: (source) => observations.hears(source),
    isUnwell: (source) => observations.isUnwell(source),
    isJudged: (side) => judgements[side].isKnown,
    isCompared: () => (verdicts.verdict?.outcome ?? null) !== null,
  };
}

/**
 * Raises each alert once and clears it once, with an event and a message each. Raised alerts are stored in Redis, so this
 * holds across monitors and restarts.
 *
 * @param now.senses decide whether a raised alert that is not in `alerts` is over
 * @throws FencedError
 */
export async function reconcileAlerts(
  { redis, keys, ledger }: Store,
  now: { alerts: readonly Alert[]; senses: Senses; fence: string },
): Promise<void> {
  const { alerts, senses, fence } = now;
  const write = async (
    event: Pick<NewEvent, "kind" | "reason" | "data">,
    alert: { id: string; op: "raise" | "clear" },
  ) => {
    const entry = { ...event, by: "monitor" };
    const outcome = await ledger.record(entry, { mail: true, fence, alert });
    refuseFenced(outcome, fence);
  };
  const raised = new Set(await redis.hkeys(keys.alerts));
  for (const { id, kind, reason, data } of alerts)
    if (!raised.delete(id))
      await write({ kind, reason, data }, { id, op: "raise" });
  for (const id of raised) {
    if (!isOver(id, senses)) continue;
    const reason = describeEnd(id);
    const data = { alert: id };
    await write({ kind: "recovery", reason, data }, { id, op: "clear" });
  }
}

function flagAlerts(flag: FlagRecord, name: string): Alert[] {
  if (!flag.garbled) return [];
  const raw = shorten(flag.raw ?? "");
  const reason = `the flag ${name} holds ${JSON.stringify(raw)}: it counts as false; set it to true or false`;
  return [createAlert("flag-value", { reason, data: { raw } })];
}

function prodAlerts(
  { isBreach, figures }: LatencyJudgement,
  isFlagOn: boolean,
): Alert[] {
  if (!isBreach) return [];
  const side = "prod";
  const although = isFlagOn ? "" : " although the flag is off";
  const reason = `prod is slow${although}: ${describeLatency(side, figures)}`;
  const data = { side, ...figures };
  return [createAlert("latency", { of: side, reason, data })];
}

/** The alerts of verdicts that do not stop the canary. */
function verdictAlerts(
  { verdicts, config }: Outlook,
  unheeded: Stop | undefined,
): Alert[] {
  const { verdict } = verdicts;
  if (unheeded?.rule === "latency") {
    const { reason, data } = unheeded;
    const of = data.side === "prod" ? "prod" : "canary";
    return [createAlert("latency", { of, reason, data })];
  }
  const isOnlyTold = config.verdict.mode === "observe" || unheeded;
  if (verdict?.outcome === "worse" && isOnlyTold) {
    const data = { verdict: verdicts.toRecord() };
    const reason = describeWorse(verdict);
    return [createAlert("verdict:worse", { reason, data })];
  }
  if (verdict?.outcome !== "split broken") return [];
  const reason =
    "the split is broken: requests are not split in its ratio, so the sides are not compared";
  return [
    createAlert("verdict:split", { reason, data: { ...verdict.canary } }),
  ];
}
