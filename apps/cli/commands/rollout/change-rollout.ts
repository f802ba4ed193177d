import { steer } from "../../../../lib/rollout/steer.js";
import type { Request } from "../../../../lib/rollout/transitions.js";
import { CliError, EXIT, type ExitStatus } from "../../exit-status.js";
import type { CommandContext } from "../command-context.js";
import { readReason } from "../flag.js";

export interface Person {
  operator: string;
  reason: string | undefined;
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
  const because = reason === undefined ? "" : `: ${reason}`;
  const { operator } = person;
  const steered = await steer(store, request, {
    by: "operator",
    explain: (sentence) => `${sentence}${because || `, by ${operator}`}`,
    data: { operator },
  });
  if ("refusal" in steered)
    throw steered.isLate
      ? new CliError(
          EXIT.problem,
          `${steered.refusal}, and this command has changed nothing: look at \`serin rollout status\`, and repeat it`,
        )
      : new CliError(EXIT.refused, steered.refusal);
  output.sentence(steered.sentence + because);
  const effect = await steered.readEffect();
  if (effect === undefined) return EXIT.ok;
  if (effect.proxies === 0) throw new CliError(EXIT.problem, effect.sentence);
  output.sentence(effect.sentence);
  return effect.silent.length === 0 ? EXIT.ok : EXIT.problem;
}
