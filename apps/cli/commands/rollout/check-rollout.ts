import { currentStep } from "../../../../lib/rollout/rollout.js";
import { checkOf } from "../../../../lib/rollout/spec.js";
import { decide } from "../../../../lib/rollout/transitions.js";
import { readServiceFile } from "../../../../lib/service-file.js";
import type { Environment } from "../../../../lib/settings/settings.js";
import { shortLine } from "../../../../lib/wording/plain-text.js";
import { CliError, EXIT, type ExitStatus } from "../../exit-status.js";
import type { CommandContext } from "../command-context.js";
import { changeRollout, type Person } from "./change-rollout.js";
import { placeCheck, runCheck } from "./run-check.js";

/** Of the ledger's reason, which is 500 characters at most. */
const MAX_COMMAND = 400;

/**
 * `serin rollout check`: runs the check of the current step and reports its result. The command is that of serin.yml here:
 * what stands in Redis is never given to a shell.
 *
 * @throws CliError if the rollout waits for no check, or serin.yml has another one
 */
export async function checkRollout(
  parts: CommandContext,
  {
    file,
    env,
    operator,
    signal,
  }: { file: string; env: Environment; signal: AbortSignal } & Person,
): Promise<ExitStatus> {
  const own = readServiceFile(file);
  const { rollouts } = await parts.link.open();
  const reading = await rollouts.read();
  const result = { verb: "checked", passed: true } as const;
  const decision = decide(reading, result, reading.now);
  if ("refusal" in decision) throw new CliError(EXIT.refused, decision.refusal);
  const { rollout } = reading;
  if (rollout === undefined || rollout.checked)
    throw new CliError(EXIT.refused, "the rollout waits for no check");
  const command = checkOf(own.rollout.steps[rollout.step]);
  if (command === undefined || command !== checkOf(currentStep(rollout)))
    throw new CliError(
      EXIT.refused,
      `the check of this rollout is not that of ${file}: nothing was run`,
    );
  const failure = await runCheck({
    command,
    ...placeCheck(own, { release: rollout.candidate, env }),
    ...{ say: parts.output.line, signal },
  });
  const passed = failure === undefined;
  const reason = passed
    ? undefined
    : `${shortLine(command, MAX_COMMAND)}: ${failure}`;
  const status = await reportCheck(parts, passed, { operator, reason });
  return passed ? status : EXIT.problem;
}

/** The result of a check that ran elsewhere. */
export async function reportCheck(
  parts: CommandContext,
  passed: boolean,
  person: Person,
): Promise<ExitStatus> {
  return await changeRollout(parts, { verb: "checked", passed }, person);
}
