import {
  formatAge,
  formatClock,
  formatSpan,
  formatBytes,
  formatMs,
  formatRatio,
  UNKNOWN,
} from "../../../lib/wording/units.js";
import type { StateReport } from "../../../lib/telemetry/monitor-state.js";
import { isSilent } from "../../../lib/telemetry/silence.js";
import { byId, setText } from "./element.js";
import { KeyedTable, type Cell } from "./keyed-table.js";

/** The known hosts and proxies. */
export class Members {
  readonly #hosts = new KeyedTable("hosts");
  readonly #summary = byId("hosts-summary");
  readonly #proxies = new KeyedTable("proxies");

  show({ hosts, proxies, silenceMs }: StateReport, now: number): void {
    const isQuiet = (member: Host | Proxy) => isSilent(member, silenceMs, now);
    const place = (host: Host) => order(host, isQuiet(host));
    setText(this.#summary, summarise(hosts, isQuiet));
    this.#hosts.show(
      hosts
        .toSorted((a, b) => place(a).localeCompare(place(b)))
        .map((host) => ({
          id: host.id,
          cells: describeHost(host, isQuiet(host), now),
        })),
      "No agent is reporting.",
    );
    this.#proxies.show(
      proxies.map((proxy) => ({
        id: proxy.id,
        cells: describeProxy(proxy, isQuiet(proxy), now),
      })),
      "No proxy is reporting.",
    );
  }
}

type Host = StateReport["hosts"][number];
type Proxy = StateReport["proxies"][number];

/** In the order of trouble. */
const HEALTH = ["gone", "probe fails", "silent", "healthy"];

/** Trouble first. */
function order(host: Host, isQuiet: boolean): string {
  const { target, id } = host;
  const trouble = HEALTH.indexOf(describeHealth(host, isQuiet).text);
  return `${trouble} ${target === "prod" ? 0 : 1} ${host.host} ${id}`;
}

/** `1 gone · 19 healthy` */
function summarise(
  hosts: readonly Host[],
  isQuiet: (host: Host) => boolean,
): string {
  const healths = hosts.map((host) => describeHealth(host, isQuiet(host)).text);
  return HEALTH.map((name) => ({
    name,
    count: healths.filter((health) => health === name).length,
  }))
    .filter(({ count }) => count > 0)
    .map(({ name, count }) => `${count} ${name}`)
    .join(" · ");
}

function describeHost(host: Host, isQuiet: boolean, now: number): Cell[] {
  const { target, version, pid, startedAt, cpuRatio, rssBytes } = host;
  const up =
    startedAt === null
      ? UNKNOWN
      : `${formatClock(new Date(startedAt), now)} (${formatSpan(now - Date.parse(startedAt))})`;
  return [
    { text: host.host, attributes: { title: host.id } },
    { text: target, attributes: { class: "side", "data-side": target } },
    describeHealth(host, isQuiet),
    { text: version ?? UNKNOWN },
    { text: pid === null ? UNKNOWN : String(pid) },
    { text: up },
    { text: formatRatio(cpuRatio) },
    { text: formatBytes(rssBytes) },
    { text: formatMs(host.probeMs) },
    { text: formatAge(host.seenAt, now) },
  ];
}

function health(text: string, level: "good" | "bad" | "unknown"): Cell {
  return { text, attributes: { class: "health", "data-health": level } };
}

function describeHealth({ up, probeOk }: Host, isQuiet: boolean): Cell {
  if (isQuiet) return health("silent", "unknown");
  if (!up) return health("gone", "bad");
  return probeOk ? health("healthy", "good") : health("probe fails", "bad");
}

function describeProxy(proxy: Proxy, isQuiet: boolean, now: number): Cell[] {
  return [
    { text: proxy.id },
    { text: proxy.split ?? UNKNOWN },
    describeIntake(proxy, isQuiet),
    { text: proxy.because ?? UNKNOWN },
    { text: formatAge(proxy.seenAt, now) },
  ];
}

function describeIntake({ canaryOpen }: Proxy, isQuiet: boolean): Cell {
  if (isQuiet) return health("silent", "unknown");
  if (canaryOpen === null) return health("not told", "unknown");
  return canaryOpen ? health("open", "good") : health("withheld", "bad");
}
