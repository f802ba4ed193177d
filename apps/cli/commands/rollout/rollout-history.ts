import type { LedgerEvent } from "../../../../lib/flag/ledger.js";
import { entryTimeMs } from "../../../../lib/redis/stream-entry.js";
import { toPlain } from "../../../../lib/wording/plain-text.js";
import { nameRelease } from "../../../../lib/wording/release-name.js";
import { formatClock, formatSpan } from "../../../../lib/wording/units.js";
import { EXIT, type ExitStatus } from "../../exit-status.js";
import type { CommandContext } from "../command-context.js";
import { drawTable } from "../members.js";

/** Enough for dozens of rollouts, with each step an event. */
const MAX_READ = 5000;
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
  const events = await ledger.readEvents({
    limit: MAX_READ,
    where: ({ data }) => typeof data.rollout === "number",
  });
  const histories = groupByRollout(events).slice(0, options.limit);
  const now = Date.now();
  if (options.json) output.json(histories.map(toJson));
  else if (histories.length === 0)
    output.line("no rollout is in the ledger: `serin release` starts one");
  else
    drawTable(
      COLUMNS,
      histories.map((one) => describeHistory(one, now)),
      output,
    )
      .slice(1)
      .forEach(output.line);
  return EXIT.ok;
}

/** Newest first, and not empty. */
type History = readonly LedgerEvent[];

function groupByRollout(events: History): History[] {
  const groups = new Map<unknown, LedgerEvent[]>();
  for (const event of events) {
    const { rollout } = event.data;
    groups.set(rollout, [...(groups.get(rollout) ?? []), event]);
  }
  return [...groups.values()];
}

function describeHistory(events: History, now: number): string[] {
  const { rollout, candidate, phase, at, endedAt, by, reason } =
    summarise(events);
  return [
    String(rollout),
    toPlain(nameRelease(candidate) ?? candidate),
    formatClock(new Date(at), now),
    formatSpan(endedAt - at),
    phase,
    toPlain(by),
    toPlain(reason),
  ];
}

function summarise(events: History) {
  const [last, first] = [events[0], events.at(-1)];
  const read = (name: string) =>
    events.map(({ data }) => data[name]).find((it) => typeof it === "string");
  return {
    rollout: first?.data.rollout,
    candidate: read("candidate") ?? "unknown",
    phase: read("phase") ?? "unknown",
    at: entryTimeMs(first?.id ?? ""),
    endedAt: entryTimeMs(last?.id ?? ""),
    by: last?.by ?? "",
    reason: last?.reason ?? "",
  };
}

function toJson(events: History): object {
  const { at, endedAt, ...rest } = summarise(events);
  return {
    ...rest,
    startedAt: new Date(at).toISOString(),
    changedAt: new Date(endedAt).toISOString(),
    events,
  };
}
