import { formatSpan } from "../../../../lib/wording/units.js";
import type { LedgerEvent } from "../../../../lib/flag/ledger.js";
import { entryTimeMs } from "../../../../lib/redis/stream-entry.js";
import { SIDES } from "../../../../lib/telemetry/telemetry.js";
import type { Heard } from "../../sources/telemetry-scan.js";
import { ok, problem, type Finding } from "./finding.js";

const KINDS = [
  ["traffic", "proxy"],
  ["host", "agent"],
] as const;

/** Checks when each proxy and agent last reported. One that announced its stop is not expected to report. */
export function judgePresence(facts: {
  /** The newest report of each. */
  newest: readonly Heard[];
  stops: readonly LedgerEvent[];
  silenceMs: number;
  now: number;
}): Finding[] {
  const { newest, stops, silenceMs, now } = facts;
  const expected = newest.filter(
    ({ source, heardAt }) =>
      !stops.some(
        ({ id, data }) =>
          data.source === source && entryTimeMs(id) >= heardAt - silenceMs,
      ),
  );
  const findings = KINDS.flatMap(([kind, name]) => {
    const members = expected.filter((heard) => heard.kind === kind);
    return judgeMembers(name, members, { silenceMs, now });
  });
  const has = (isIt: (heard: Heard) => boolean) => expected.some(isIt);
  if (!has(({ kind }) => kind === "traffic"))
    findings.push(
      problem(
        "proxy",
        "no proxy reports",
        "start one with this Redis and KEY_PREFIX, and check its log",
      ),
    );
  for (const side of SIDES)
    if (!has((heard) => heard.kind === "host" && heard.data.target === side))
      findings.push(
        problem(
          "agent",
          `no agent of ${side} reports`,
          `start one with TARGET=${side} on the app's host, and check its log`,
        ),
      );
  return findings;
}

/** One finding for all that report, and one for all that are silent. */
function judgeMembers(
  name: "proxy" | "agent",
  members: readonly Heard[],
  { silenceMs, now }: { silenceMs: number; now: number },
): Finding[] {
  const isSilent = ({ heardAt }: Heard) => now - heardAt > silenceMs;
  const silent = members.filter(isSilent);
  const reporting = members.filter((member) => !isSilent(member));
  const list = (some: readonly Heard[]) =>
    some.map(({ source }) => source).join(", ");
  const findings: Finding[] = [];
  if (reporting.length > 0) {
    const verb = reporting.length === 1 ? "reports" : "report";
    findings.push(ok(name, `${list(reporting)} ${verb}`));
  }
  if (silent.length > 0) {
    const lastAt = Math.max(...silent.map(({ heardAt }) => heardAt));
    const last = formatSpan(now - lastAt);
    const plural = name === "proxy" ? "proxies" : "agents";
    findings.push(
      problem(
        name,
        silent.length === 1
          ? `${list(silent)} last reported ${last} ago`
          : `${silent.length} ${plural} are silent, the last of them for ${last}: ${list(silent)}`,
        "check that it runs and reaches Redis: systemctl status, and its log",
      ),
    );
  }
  return findings;
}
