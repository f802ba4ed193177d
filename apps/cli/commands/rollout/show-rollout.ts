import { toRolloutReport } from "../../../../lib/rollout/rollout-report.js";
import { isOver } from "../../../../lib/rollout/rollout.js";
import { toPlain } from "../../../../lib/wording/plain-text.js";
import { CliError, EXIT, type ExitStatus } from "../../exit-status.js";
import { findDeploy } from "../../sources/deploys.js";
import { readFlagFacts } from "../../sources/redis-report.js";
import { readState, type Reading } from "../../sources/state-source.js";
import type { CommandContext } from "../command-context.js";
import { describeVerdict } from "../status-page.js";
import { drawRollout } from "./rollout-page.js";

/** `serin rollout status` @returns 1 if the rollout was aborted, or the canary is stopped in the middle */
export async function showRollout(
  parts: CommandContext,
  options: { json: boolean },
): Promise<ExitStatus> {
  const { link, output } = parts;
  const store = await link.open();
  const { rollout, now, problem } = await store.rollouts.read();
  if (problem !== undefined) throw new CliError(EXIT.problem, problem);
  if (options.json)
    output.json(rollout === undefined ? null : toRolloutReport(rollout));
  if (rollout === undefined) {
    if (!options.json)
      output.line("there is no rollout: SPLIT is the canary's share");
    return EXIT.ok;
  }
  if (!options.json) {
    const [deploy, state] = await Promise.all([
      findDeploy(store.ledger, rollout.candidate),
      readState(parts),
    ]);
    const { hosts } = state.report;
    const evidence = describeEvidence(state);
    drawRollout({ rollout, now, deploy, hosts, evidence }, output).forEach(
      output.line,
    );
  }
  const { value } = await readFlagFacts(store);
  const isStopped = rollout.phase === "Aborted" || (!value && !isOver(rollout));
  return isStopped ? EXIT.problem : EXIT.ok;
}

function describeEvidence({ report, without }: Reading): string | undefined {
  if (without !== undefined) return undefined;
  return toPlain(describeVerdict(report, without));
}
