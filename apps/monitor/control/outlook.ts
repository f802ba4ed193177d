import type { Redis } from "ioredis";
import type { Ledger } from "../../../lib/flag/ledger.js";
import type { Keys } from "../../../lib/redis/keys.js";
import type { Side } from "../../../lib/telemetry/telemetry.js";
import type { MonitorConfig } from "../config.js";
import type { Leadership } from "../leader/leadership.js";
import type { Observations } from "../telemetry/observations.js";
import type { FlagRecord } from "./flag-record.js";
import { judgeSide, type LatencyJudgement } from "./judge-latency.js";
import { decideRecovery, type RecoveryDecision } from "./recovery.js";
import { isOver, type Rollout } from "../../../lib/rollout/rollout.js";
import type { Conductor } from "../rollout/conductor.js";
import type { VerdictKeeper } from "./verdict-keeper.js";

/** The state of this monitor. */
export interface Outlook {
  leadership: Pick<Leadership, "fence">;
  /** Redis's clock; undefined before it has answered once. */
  redisNow: () => number | undefined;
  observations: Observations;
  verdicts: VerdictKeeper;
  conductor: Conductor;
  config: MonitorConfig;
}

/** The state that all monitors share. */
export interface Store {
  redis: Redis;
  keys: Keys;
  ledger: Ledger;
}

export type Judgements = Record<Side, LatencyJudgement>;

/** Each side's latency since the last flip. */
export function judgeSides(
  { observations, config }: Outlook,
  flag: FlagRecord,
  now: number,
): Judgements {
  const at = { now, sinceMs: flag.flippedAtMs };
  const judge = (side: Side) =>
    judgeSide(observations.side(side), config.latency, at);
  return { prod: judge("prod"), canary: judge("canary") };
}

/** The recovery decision at present, also for `GET /api/state`. */
export function decideNow(
  context: Outlook,
  flag: FlagRecord,
  prod: LatencyJudgement,
): RecoveryDecision {
  const now = context.redisNow() ?? 0;
  const facts = {
    // A person wrote a garbled value, although it changes nothing.
    isOwnFlip:
      !flag.value &&
      !flag.garbled &&
      (flag.by === "monitor" || flag.by === "proxy") &&
      !flag.recordedValue,
    state: flag.recovery,
    lastUnhealthyAt: context.observations.lastUnhealthyAt("canary"),
    unwell: context.observations.findUnwell("canary"),
    isProdInBreach:
      prod.isBreach && context.config.latency.sides.includes("prod"),
    versions: context.observations.versions("canary"),
    releasedAt: context.verdicts.releasedAt,
    aborted: abortedRollout(flag),
  };
  return decideRecovery(facts, context.config.recovery, now);
}

/** The rollout that steers the canary; undefined if none does. */
export function rolloutUnderWay({
  rollout: { rollout },
}: FlagRecord): Rollout | undefined {
  return rollout && !isOver(rollout) ? rollout : undefined;
}

/** Why the sides cannot be compared; undefined if prod runs one release. */
export function findMixture(flag: FlagRecord): string | undefined {
  const { phase, candidate = "" } = rolloutUnderWay(flag) ?? {};
  return phase === "Promoting" ? `prod is getting ${candidate}` : undefined;
}

function abortedRollout({ rollout: { position } }: FlagRecord) {
  return position.phase === "Aborted" ? position.id : undefined;
}
