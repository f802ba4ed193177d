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
import { byId, element, setText } from "./element.js";

interface Cell {
  text: string;
  attributes?: Record<string, string>;
}

/** A table with a row for each agent or proxy. On narrow screens each row becomes a card with its own headings. */
class MembersTable {
  readonly #body: HTMLTableSectionElement;
  readonly #blank: HTMLElement;
  readonly #rows = new Map<string, HTMLTableRowElement>();

  constructor(id: string) {
    this.#body = byId(id, HTMLTableSectionElement);
    this.#blank = byId(`${id}-blank`);
  }

  show(members: { id: string; cells: Cell[] }[], blank: string): void {
    setText(this.#blank, blank);
    this.#blank.hidden = members.length > 0;
    const ids = new Set(members.map(({ id }) => id));
    for (const [id, row] of this.#rows) {
      if (ids.has(id)) continue;
      row.remove();
      this.#rows.delete(id);
    }
    members.forEach(({ id, cells }, place) => {
      const row = this.#fill(id, cells);
      // Moving a row that is in its place would close a selection in it.
      const there = this.#body.rows[place];
      if (there !== row) this.#body.insertBefore(row, there ?? null);
    });
  }

  #fill(id: string, cells: Cell[]): HTMLTableRowElement {
    const row = this.#rows.get(id) ?? this.#append(id);
    cells.forEach(({ text, attributes = {} }, i) => {
      const value = row.cells[i]?.firstElementChild;
      if (value) setText(value, text, attributes);
    });
    return row;
  }

  #append(id: string): HTMLTableRowElement {
    const headings = this.#body.parentElement?.querySelectorAll("th") ?? [];
    const cells = [...headings].map(({ textContent, className }) =>
      element(
        "td",
        { "data-label": textContent.trim(), class: className },
        element("span"),
      ),
    );
    const row = element("tr", {}, ...cells);
    this.#rows.set(id, row);
    this.#body.append(row);
    return row;
  }
}

/** The known hosts and proxies. */
export class Members {
  readonly #hosts = new MembersTable("hosts");
  readonly #summary = byId("hosts-summary");
  readonly #proxies = new MembersTable("proxies");

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
