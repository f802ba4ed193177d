import {
  describeHeadline,
  describeHeld,
  listMissing,
  type Tone,
} from "../../../lib/wording/headline.js";
import { describeHostDifference } from "../../../lib/wording/host-difference.js";
import { describePlacebo } from "../../../lib/wording/placebo.js";
import {
  describeTry,
  formatClock,
  formatCount,
  formatMs,
} from "../../../lib/wording/units.js";
import { nameRollout } from "../../../lib/rollout/describe-rollout.js";
import { entryTimeMs } from "../../../lib/redis/stream-entry.js";
import type {
  SideSummary,
  StateReport,
} from "../../../lib/telemetry/monitor-state.js";
import { toPlain } from "../../../lib/wording/plain-text.js";
import { EXIT, type ExitStatus } from "../exit-status.js";
import { drawSentence, type Look, type Style } from "../output.js";
import {
  readRollout,
  readState,
  readStop,
  type Reading,
  type RolloutMoment,
  type Stop,
} from "../sources/state-source.js";
import { layOutFacts } from "../table.js";
import type { CommandContext } from "./command-context.js";
import { drawMembers, drawTable } from "./members.js";
import { describeProgress } from "./rollout/follow-rollout.js";

const TONE_STYLES: Readonly<Record<Tone, Style>> = {
  good: ["bold", "green"],
  stopped: ["bold", "red"],
  warning: ["bold", "yellow"],
};
const SIDE_COLUMNS = [
  { title: "side" },
  ...["requests", "errors", "p50", "p95", "p99", "over"].map((title) => ({
    title,
    isFigure: true,
  })),
];

/** `serin status` @returns 1 while something is wrong */
export async function showStatus(
  parts: CommandContext,
  options: { json: boolean },
): Promise<ExitStatus> {
  const { output } = parts;
  const reading = await readState(parts);
  const { report, without } = reading;
  const [stop, moment] = await Promise.all([
    readStop(parts, reading),
    readRollout(parts),
  ]);
  if (options.json)
    output.json(
      without === undefined ? report : { ...report, without: without.message },
    );
  else {
    const page = drawStatus({ ...reading, stop, moment }, output);
    [...page, ...drawMembers(report, output)].forEach(output.line);
  }
  return without?.status ?? (isWell(report, stop) ? EXIT.ok : EXIT.problem);
}

/** A stop that a person began is no fault, and neither is that nothing runs yet but the monitor. */
function isWell(report: StateReport, stop: Stop | undefined): boolean {
  const { lease, proxies, hosts, outbox } = report;
  if (outbox.held.length > 0) return false;
  const { tone } = describeHeadline(report, Date.parse(report.now));
  if (tone === "stopped") return stop?.by === "operator";
  const isEmpty = lease !== null && proxies.length === 0 && hosts.length === 0;
  return tone === "good" || isEmpty;
}

/** The headline in its colour. */
export function paintHeadline(report: StateReport, look: Look): string[] {
  const { tone, text } = describeHeadline(report, Date.parse(report.now));
  const sentence = [text, ...listMissing(report)].join(" · ");
  return drawSentence(TONE_STYLES[tone], toPlain(sentence), look);
}

/** What a status page shows. */
export interface StatusFacts extends Reading {
  stop: Stop | undefined;
  moment: RolloutMoment | undefined;
}

/** What a person reads first: the headline, both sides, the rollout, the verdict. */
export function drawStatus(
  { report, without, stop, moment }: StatusFacts,
  look: Look,
): string[] {
  const notice =
    without === undefined
      ? []
      : [
          "",
          ...drawSentence("yellow", `${without.message}.`, look),
          "From Redis only:",
        ];
  return [
    ...paintHeadline(report, look),
    ...notice,
    ...drawTable(
      SIDE_COLUMNS,
      [
        describeSide("prod", report.sides.prod),
        describeSide("canary", report.sides.canary),
      ],
      look,
    ),
    "",
    ...layOutFacts(
      [
        ...listRollout(moment),
        [
          "verdict",
          toPlain(
            report.flag.value
              ? describeVerdict(report, without)
              : describeStop(stop, Date.parse(report.now)),
          ),
        ],
        ...listHostDifference(report),
        ...listPlacebo(report),
        ["monitor", toPlain(describeLease(report.lease))],
        ["mails", toPlain(describeOutbox(report.outbox))],
      ],
      look.width,
    ),
  ];
}

/** Not one that has reached prod: its release is all there is. */
function listRollout(
  moment: RolloutMoment | undefined,
): (readonly [string, string])[] {
  if (moment === undefined || moment.rollout.phase === "Healthy") return [];
  const { rollout, now } = moment;
  const name = nameRollout(rollout).replace(/^rollout /, "");
  return [["rollout", toPlain(`${name}: ${describeProgress(rollout, now)}`)]];
}

function listHostDifference({
  hostDifference,
}: StateReport): [string, string][] {
  const text = hostDifference && describeHostDifference(hostDifference);
  return text ? [["hosts", text]] : [];
}

function listPlacebo({ placebo }: StateReport): [string, string][] {
  return placebo ? [["placebo", toPlain(describePlacebo(placebo))]] : [];
}

function describeOutbox({ pending, held }: StateReport["outbox"]): string {
  return [`${pending} waiting`, ...held.map(describeHeld)].join("; ");
}

function describeSide(name: string, side: SideSummary): string[] {
  const { requests, errors, p50Ms, p95Ms, p99Ms, windowMs } = side;
  return [
    name,
    formatCount(requests),
    formatCount(errors),
    ...[p50Ms, p95Ms, p99Ms].map(formatMs),
    `${Math.round(windowMs / 1000)} s`,
  ];
}

/** The comparison of the stop, which does not change until the canary resumes. */
function describeStop(stop: Stop | undefined, now: number): string {
  if (stop === undefined) return "stopped: nothing is compared";
  const { id, by, reason, data } = stop;
  const { prodLatencyMs: prod, canaryLatencyMs: canary } = data;
  const sides =
    typeof prod === "number" && typeof canary === "number"
      ? `; canary ${formatMs(canary)}, prod ${formatMs(prod)}`
      : "";
  const at = formatClock(new Date(entryTimeMs(id)), now);
  return `stopped ${at} by ${by}: ${reason}${sides}`;
}

export function describeVerdict(
  { verdict, recovery: { attempt = 1 } }: StateReport,
  without: Reading["without"],
): string {
  if (without !== undefined) return "unknown without the monitor";
  if (verdict === null) return "nothing is compared";
  const { outcome, because, odds, canaryRequestsNeeded, mode } = verdict;
  const { minutesNeeded = null } = verdict;
  const minutes =
    minutesNeeded === null ? "" : ` (${formatCount(minutesNeeded)} min)`;
  const observed = mode === "observe" ? ", observed only" : "";
  const needed =
    canaryRequestsNeeded !== null && canaryRequestsNeeded > 0
      ? `, about ${formatCount(canaryRequestsNeeded)} more canary requests${minutes} to decide`
      : "";
  if (outcome === null) return `none yet: ${because ?? "unknown reason"}`;
  const word =
    outcome === "healthy" && attempt > 1
      ? `not worse so far, on ${describeTry(attempt)}`
      : outcome;
  return `${word}, evidence ${odds}${needed}${observed}`;
}

function describeLease(lease: StateReport["lease"]): string {
  if (lease === null) return "no monitor leads";
  return `${lease.holder} leads (epoch ${lease.epoch}, lease ${(lease.ageMs / 1000).toFixed(1)} s old)`;
}
