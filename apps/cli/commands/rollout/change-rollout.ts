import {
  expectReceipts,
  type FlipEffect,
} from "../../../../lib/flag/receipts.js";
import { RolloutStore } from "../../../../lib/rollout/rollout-store.js";
import {
  decide,
  type Change,
  type Request,
} from "../../../../lib/rollout/transitions.js";
import { CliError, EXIT, type ExitStatus } from "../../exit-status.js";
import { readFlagFacts } from "../../sources/redis-report.js";
import type { Store } from "../../sources/redis-link.js";
import type { CommandContext } from "../command-context.js";
import { readReason } from "../flag.js";

/** Others may change the rollout between reading and writing. */
const TRIES = 5;

export interface Person {
  operator: string;
  reason: string | undefined;
}

export function openRollouts({ redis, keys, flagName }: Store): RolloutStore {
  return new RolloutStore(redis, keys, flagName);
}

/**
 * Changes the rollout and prints what happened and what the proxies made of it. It needs no monitor.
 *
 * @throws CliError with EXIT.refused if the rollout is in another phase: nothing is changed then
 */
export async function changeRollout(
  { link, output }: CommandContext,
  request: Request,
  person: Person,
): Promise<ExitStatus> {
  const reason = readReason(person.reason);
  const store = await link.open();
  const { sentence, readEffect } = await apply(store, request, {
    operator: person.operator,
    reason,
  });
  output.sentence(sentence);
  const effect = await readEffect();
  if (effect === undefined) return EXIT.ok;
  if (effect.proxies === 0) throw new CliError(EXIT.problem, effect.sentence);
  output.sentence(effect.sentence);
  return effect.silent.length === 0 ? EXIT.ok : EXIT.problem;
}

async function apply(
  store: Store,
  request: Request,
  { operator, reason: given }: Person,
): Promise<{
  sentence: string;
  readEffect: () => Promise<FlipEffect | undefined>;
}> {
  const rollouts = openRollouts(store);
  for (let tries = 1; ; tries += 1) {
    const [reading, flag, receipts] = await Promise.all([
      rollouts.read(),
      readFlagFacts(store),
      expectReceipts(store),
    ]);
    const decision = decide(reading, request, reading.now);
    if ("refusal" in decision)
      throw new CliError(EXIT.refused, decision.refusal);
    const { change, sentence } = decision;
    const because = given === undefined ? "" : `: ${given}`;
    const outcome = await rollouts.apply(change, {
      by: "operator",
      reason: `${sentence}${because || `, by ${operator}`}`,
      data: { operator },
    });
    if (outcome === "changed")
      return {
        sentence: sentence + because,
        readEffect: () => readEffect(change, { reading, flag, receipts }),
      };
    // The next step may have begun, and a person has not asked to leave that one.
    if (request.verb === "promote" || tries === TRIES)
      throw new CliError(
        EXIT.problem,
        "the rollout has changed at this moment, and this command has changed nothing: look at `serin rollout status`, and repeat it",
      );
  }
}

/** Undefined if the change concerns no proxy. */
async function readEffect(
  { flag: value, weight }: Change,
  before: {
    reading: { rawWeight: string | null };
    flag: { value: boolean };
    receipts: Awaited<ReturnType<typeof expectReceipts>>;
  },
): Promise<FlipEffect | undefined> {
  const { reading, flag, receipts } = before;
  if (value === false || (value === true && !flag.value))
    return await receipts.ofFlip(value, flag.value !== value);
  if (typeof weight === "number" && String(weight) !== reading.rawWeight)
    return await receipts.ofWeight(weight);
  return undefined;
}
