import type { LedgerEvent } from "../../../../lib/flag/ledger.js";

/** Of alerts of one kind, and of their ends. */
const PREDICATES: Partial<
  Record<string, readonly [raised: string, over: string]>
> = {
  silence: ["are silent", "are no longer silent"],
  gone: ["are gone", "are no longer gone"],
  probe: ["fail their health probes", "no longer fail their health probes"],
  cpu: ["keep a core busy", "no longer keep a core busy"],
  memory: ["use far more memory than prod", "use as much memory as prod again"],
};

interface Subject {
  /** The program, such as `agent`. */
  program: string;
  host: string;
}

/**
 * Several alerts of one kind, or their ends, in a sentence: `20 agents are silent: web-00 … web-19`. Undefined if they concern
 * only one program.
 */
export function describeGroup(
  events: readonly LedgerEvent[],
): string | undefined {
  const [first] = events;
  const alert = String(first?.data.alert);
  const [type = ""] = alert.split(":", 1);
  const predicate = PREDICATES[type]?.[first?.kind === "recovery" ? 1 : 0];
  const sources = new Set(events.map(findSource));
  if (predicate === undefined || sources.size < 2) return undefined;
  const subjects = [...sources].map(parseSource);
  const noun = type === "silence" ? nameAll(subjects) : "apps";
  const hosts = [...new Set(subjects.map(({ host }) => host))].sort();
  return `${subjects.length} ${noun} ${predicate}: ${list(hosts)}`;
}

/** `agent@web1:3101`; the end of an alert has it in the alert's id. */
function findSource({ kind, data }: LedgerEvent): string {
  const alert = String(data.alert);
  return kind === "recovery"
    ? alert.slice(alert.indexOf(":") + 1)
    : String(data.source);
}

function parseSource(source: string): Subject {
  const [, program = "program", host = source] =
    /^(\w+)@(.*):\d+$/.exec(source) ?? [];
  return { program, host };
}

function nameAll(subjects: readonly Subject[]): string {
  const [program, ...others] = new Set(subjects.map((one) => one.program));
  if (others.length > 0) return "programs";
  return program === "proxy" ? "proxies" : `${program}s`;
}

/** `web1, web2 and web3`; of more, the first and the last. */
function list(names: readonly string[]): string {
  const last = names.at(-1) ?? "";
  if (names.length > 3) return `${names[0]} … ${last}`;
  return [names.slice(0, -1).join(", "), last].filter(Boolean).join(" and ");
}
