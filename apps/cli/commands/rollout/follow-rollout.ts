import { setTimeout as sleep } from "node:timers/promises";
import {
  currentStep,
  isOver,
  type Rollout,
} from "../../../../lib/rollout/rollout.js";
import {
  describePhase,
  nameRollout,
} from "../../../../lib/rollout/describe-rollout.js";
import { toPlain } from "../../../../lib/wording/plain-text.js";
import { describeSteps } from "../../../../lib/wording/rollout-steps.js";
import { formatClock } from "../../../../lib/wording/units.js";
import { CliError, EXIT, type ExitStatus } from "../../exit-status.js";
import { explainRedisError } from "../../sources/redis-link.js";
import type { CommandContext } from "../command-context.js";

const POLL_MS = 500;
/** A standby of Redis or of the monitor takes over faster. */
const TOLERANCE_MS = 30_000;

export interface RolloutReading {
  rollout?: Rollout;
  problem?: string;
  /** Ms since the epoch, by Redis's clock. */
  now: number;
}

export interface Following {
  /** @throws CliError with EXIT.unreachable in an outage */
  read: () => Promise<RolloutReading>;
  until: "Promoting" | "Healthy";
  /** Infinity to wait as long as it takes. */
  limitMs: number;
  signal: AbortSignal;
  say: (line: string) => void;
}

/**
 * Follows the present rollout until it reaches a phase, and says each change.
 *
 * @throws CliError with EXIT.problem if it was aborted, and with EXIT.undecided if another one began or it takes longer than the
 *   limit
 */
export async function followRollout(following: Following): Promise<Rollout> {
  const { until, limitMs, signal, say } = following;
  const startedAt = performance.now();
  let followed: Rollout | undefined;
  let said = "";
  for (;;) {
    const { rollout, now } = await readThroughOutages(following);
    followed ??= rollout;
    if (rollout.id !== followed.id)
      throw new CliError(
        EXIT.undecided,
        `${nameRollout(rollout)} has begun instead of ${nameRollout(followed)}`,
      );
    const line = describeProgress(rollout, now);
    const essence = describeEssence(rollout);
    if (essence !== said) say(`${formatClock(new Date(now), now)}  ${line}`);
    said = essence;
    if (hasReached(rollout, until)) return rollout;
    if (isOver(rollout))
      throw new CliError(
        EXIT.problem,
        `${nameRollout(rollout)} ${describePhase(rollout, now)} by ${rollout.by}: ${rollout.reason}`,
      );
    if (performance.now() - startedAt >= limitMs)
      throw new CliError(
        EXIT.undecided,
        `${nameRollout(rollout)} is not ${until} yet: ${line}`,
      );
    await wait(signal);
  }
}

function hasReached({ phase }: Rollout, until: Following["until"]): boolean {
  return phase === "Healthy" || phase === until;
}

async function readThroughOutages({
  read,
  signal,
}: Following): Promise<RolloutReading & { rollout: Rollout }> {
  const until = performance.now() + TOLERANCE_MS;
  for (;;) {
    try {
      const { rollout, problem, now } = await read();
      if (rollout !== undefined) return { rollout, now };
      throw new CliError(EXIT.problem, problem ?? "there is no rollout");
    } catch (err) {
      const isOutage =
        err instanceof CliError && err.status === EXIT.unreachable;
      if (!isOutage || performance.now() >= until) throw err;
    }
    await wait(signal);
  }
}

async function wait(signal: AbortSignal): Promise<void> {
  try {
    await sleep(POLL_MS, undefined, { signal });
  } catch {
    throw new CliError(EXIT.interrupted, "interrupted: the rollout goes on");
  }
}

/** The steps, and what holds them. */
export function describeProgress(rollout: Rollout, now: number): string {
  const { phase, heldBy, reason } = rollout;
  const step = currentStep(rollout);
  const isPause = step !== undefined && "pause" in step;
  const notes = {
    Progressing: heldBy === null ? "" : ` (held: ${reason})`,
    Paused: isPause
      ? " (waits for `serin rollout promote`)"
      : ` (paused: ${reason})`,
    ...{ Promoting: "", Healthy: "", Aborted: "", Superseded: "" },
  };
  return toPlain(describeSteps(rollout, now) + notes[phase]);
}

/** Without running times. */
function describeEssence({ phase, step, heldBy }: Rollout): string {
  return [phase, step, heldBy].join();
}

/** `serin rollout wait` */
export async function waitForRollout(
  { link, output }: CommandContext,
  options: Pick<Following, "until" | "limitMs" | "signal">,
): Promise<ExitStatus> {
  await followRollout({
    ...options,
    say: output.line,
    read: async () => {
      try {
        const { rollouts } = await link.open();
        return await rollouts.read();
      } catch (err) {
        throw explainRedisError(err, link.address);
      }
    },
  });
  return EXIT.ok;
}
