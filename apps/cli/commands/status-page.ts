import {
  describeHeadline,
  type Tone,
  describeHeld,
} from "../../../lib/wording/headline.js";
import {
  describeTry,
  formatSpan,
  formatAge,
  formatBytes,
  formatCount,
  formatMs,
  formatRatio,
} from "../../../lib/wording/units.js";
import type {
  SideSummary,
  StateReport,
} from "../../../lib/telemetry/monitor-state.js";
import { toPlain } from "../../../lib/wording/plain-text.js";
import { EXIT, type ExitStatus } from "../exit-status.js";
import type { Paint, Style } from "../output.js";
import { readState, type Reading } from "../sources/state-source.js";
import { layOut, layOutFacts } from "../table.js";
import type { CommandContext } from "./command-context.js";

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
const PROXY_COLUMNS = ["proxy", "split", "canary", "seen"].map((title) => ({
  title,
}));
const HOST_COLUMNS = [
  ...["host", "side", "app", "up for"].map((title) => ({ title })),
  ...["CPU", "memory", "probe"].map((title) => ({ title, isFigure: true })),
  { title: "seen" },
];

/** `serin status` */
export async function showStatus(
  parts: CommandContext,
  options: { json: boolean },
): Promise<ExitStatus> {
  const { output } = parts;
  const reading = await readState(parts);
  const { report, without } = reading;
  if (options.json)
    output.json(
      without === undefined ? report : { ...report, without: without.message },
    );
  else renderStatus(reading, output.paint).forEach(output.line);
  return without?.status ?? EXIT.ok;
}

/** The headline in its colour. */
export function paintHeadline(report: StateReport, paint: Paint): string {
  const { tone, text } = describeHeadline(report, Date.parse(report.now));
  return paint(TONE_STYLES[tone], toPlain(text));
}

/** The state as lines for a terminal. */
export function renderStatus(
  { report, without }: Reading,
  paint: Paint,
): string[] {
  const now = Date.parse(report.now);
  const table = (...[columns, rows]: Parameters<typeof layOut>) => {
    const [titles = "", ...lines] = layOut(
      columns,
      rows.map((row) => row.map(toPlain)),
    );
    return ["", paint("dim", titles), ...lines];
  };
  const notice =
    without === undefined
      ? []
      : ["", paint("yellow", `${without.message}.`), "From Redis only:"];
  return [
    paintHeadline(report, paint),
    ...notice,
    ...table(SIDE_COLUMNS, [
      describeSide("prod", report.sides.prod),
      describeSide("canary", report.sides.canary),
    ]),
    ...table(
      PROXY_COLUMNS,
      report.proxies.map((proxy) => describeProxy(proxy, now)),
    ),
    ...table(
      HOST_COLUMNS,
      report.hosts.map((host) => describeHost(host, now)),
    ),
    "",
    ...layOutFacts([
      ["verdict", toPlain(describeVerdict(report, without))],
      ["monitor", toPlain(describeLease(report.lease))],
      ["mails", toPlain(describeOutbox(report.outbox))],
    ]),
  ];
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

function describeProxy(
  { id, split, canaryOpen, because, seenAt }: StateReport["proxies"][number],
  now: number,
): string[] {
  const canary =
    canaryOpen === null
      ? "unknown"
      : canaryOpen
        ? "open"
        : `closed: ${because ?? "unknown reason"}`;
  return [id, split ?? "unknown", canary, formatAge(seenAt, now)];
}

function describeHost(
  host: StateReport["hosts"][number],
  now: number,
): string[] {
  const { id, target, version, pid, up, startedAt, seenAt } = host;
  const app = up ? `${version ?? "unknown"} (pid ${pid ?? "unknown"})` : "down";
  return [
    id,
    target,
    app,
    startedAt === null ? "" : formatSpan(now - Date.parse(startedAt)),
    host.cpuRatio === null ? "" : formatRatio(host.cpuRatio),
    host.rssBytes === null ? "" : formatBytes(host.rssBytes),
    `${host.probeOk ? "ok" : "FAILS"} ${formatMs(host.probeMs)}`,
    formatAge(seenAt, now),
  ];
}

function describeVerdict(
  { verdict, recovery: { attempt = 1 } }: StateReport,
  without: Reading["without"],
): string {
  if (without !== undefined) return "unknown without the monitor";
  if (verdict === null) return "nothing is compared";
  const { outcome, because, odds, canaryRequestsNeeded, mode } = verdict;
  const observed = mode === "observe" ? ", observed only" : "";
  const needed =
    canaryRequestsNeeded !== null && canaryRequestsNeeded > 0
      ? `, about ${formatCount(canaryRequestsNeeded)} more canary requests to decide`
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
