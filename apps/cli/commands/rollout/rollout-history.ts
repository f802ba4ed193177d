import {
  readRolloutHistory,
  type PastRollout,
} from "../../../../lib/rollout/rollout-history.js";
import { toPlain } from "../../../../lib/wording/plain-text.js";
import { nameRelease } from "../../../../lib/wording/release-name.js";
import { formatClock, formatSpan } from "../../../../lib/wording/units.js";
import { EXIT, type ExitStatus } from "../../exit-status.js";
import type { CommandContext } from "../command-context.js";
import { drawTable } from "../members.js";

const COLUMNS = [
  { title: "rollout", isFigure: true },
  { title: "release" },
  { title: "started" },
  { title: "took" },
  { title: "phase" },
  { title: "by", isSpare: true },
  { title: "why" },
];

/** `serin rollout history`: newest first, from the ledger. @throws if Redis is unreachable */
export async function showRolloutHistory(
  { link, output }: CommandContext,
  options: { limit: number; json: boolean },
): Promise<ExitStatus> {
  const { ledger } = await link.open();
  const histories = await readRolloutHistory(ledger, options.limit);
  const now = Date.now();
  if (options.json)
    output.json(
      histories.map(({ summary, events }) => ({ ...summary, events })),
    );
  else if (histories.length === 0)
    output.line("no rollout is in the ledger: `serin release` starts one");
  else
    drawTable(
      COLUMNS,
      histories.map(({ summary }) => describeHistory(summary, now)),
      output,
    )
      .slice(1)
      .forEach(output.line);
  return EXIT.ok;
}

function describeHistory(past: PastRollout, now: number): string[] {
  const { candidate, startedAt, changedAt } = past;
  return [
    String(past.rollout),
    toPlain(nameRelease(candidate) ?? candidate),
    formatClock(new Date(startedAt), now),
    formatSpan(Date.parse(changedAt) - Date.parse(startedAt)),
    past.phase,
    toPlain(past.by),
    toPlain(past.reason),
  ];
}
