import { isSilent } from "../../../lib/telemetry/silence.js";
import type { StateReport } from "../../../lib/telemetry/monitor-state.js";
import { toPlain } from "../../../lib/wording/plain-text.js";
import {
  formatAge,
  formatBytes,
  formatMs,
  formatRatio,
  formatSpan,
} from "../../../lib/wording/units.js";
import { cut } from "../fit.js";
import { nameRelease } from "../../../lib/wording/release-name.js";
import type { Look } from "../output.js";
import { layOut, type Column } from "../table.js";

type Proxy = StateReport["proxies"][number];
type Host = StateReport["hosts"][number];

const PROXY_COLUMNS: Column[] = ["proxy", "split", "canary", "seen"].map(
  (title) => ({ title }),
);
const HOST_COLUMNS: Column[] = [
  { title: "host", least: 20 },
  { title: "side" },
  { title: "app" },
  { title: "up for", isSpare: true },
  { title: "CPU", isFigure: true, isSpare: true },
  { title: "memory", isFigure: true, isSpare: true },
  { title: "probe", isFigure: true },
  { title: "seen" },
];

/** A table with its titles in grey, after an empty line. */
export function drawTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  { paint, width }: Look,
): string[] {
  const [titles = "", ...lines] = layOut(
    columns,
    rows.map((row) => row.map(toPlain)),
    width,
  );
  return ["", paint("dim", titles), ...lines];
}

/**
 * Proxies and hosts, those in trouble first.
 *
 * @param maxLines where the tables need more, only those in trouble are shown
 */
export function drawMembers(
  report: StateReport,
  look: Look,
  maxLines = Infinity,
): string[] {
  const { proxies, hosts } = sortByTrouble(report);
  const draw = (ofProxies: readonly Proxy[], ofHosts: readonly Host[]) => {
    const now = Date.parse(report.now);
    const rows = ofProxies.map((one) => describeProxy(one, now));
    const hostRows = ofHosts.map((one) => describeHost(one, now));
    return [
      ...(rows.length === 0 ? [] : drawTable(PROXY_COLUMNS, rows, look)),
      ...(hostRows.length === 0 ? [] : drawTable(HOST_COLUMNS, hostRows, look)),
    ];
  };
  const all = draw(
    [...proxies.bad, ...proxies.good],
    [...hosts.bad, ...hosts.good],
  );
  if (all.length <= maxLines) return all;
  const good = `${count(proxies.good, "proxy", "proxies")} and ${count(hosts.good, "agent", "agents")} report and are well`;
  const bad = draw(proxies.bad, hosts.bad).slice(0, Math.max(0, maxLines - 2));
  return maxLines < 2
    ? []
    : [...bad, "", look.paint("dim", cut(good, look.width))];
}

function count(all: readonly unknown[], one: string, several: string): string {
  return `${all.length} ${all.length === 1 ? one : several}`;
}

function sortByTrouble({ proxies, hosts, now, silenceMs }: StateReport) {
  const isQuiet = (member: Proxy | Host) =>
    isSilent(member, silenceMs, Date.parse(now));
  const sort = <T extends Proxy | Host>(
    members: readonly T[],
    isBad: (member: T) => boolean,
  ) => ({
    bad: members.filter(isBad),
    good: members.filter((member) => !isBad(member)),
  });
  return {
    proxies: sort(proxies, isQuiet),
    hosts: sort(hosts, (one) => isQuiet(one) || !one.up || !one.probeOk),
  };
}

function describeProxy(
  { id, split, canaryOpen, because, seenAt }: Proxy,
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

function describeHost(host: Host, now: number): string[] {
  const { id, target, version, pid, up, startedAt, seenAt } = host;
  const app = up
    ? `${nameRelease(version ?? "unknown")} (pid ${pid ?? "unknown"})`
    : "down";
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
