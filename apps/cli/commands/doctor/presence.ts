import { formatSpan } from "../../../../lib/wording/units.js";
import type { LedgerEvent } from "../../../../lib/flag/ledger.js";
import { entryTimeMs } from "../../../../lib/redis/stream-entry.js";
import { SIDES } from "../../../../lib/telemetry/telemetry.js";
import type { Heard } from "../../sources/telemetry-scan.js";
import { ok, problem, type Finding } from "./finding.js";

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
  const findings = expected.map((heard) =>
    judgeSign(heard, now - heard.heardAt, silenceMs),
  );
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

function judgeSign(
  { kind, source }: Heard,
  ageMs: number,
  silenceMs: number,
): Finding {
  const check = kind === "traffic" ? "proxy" : "agent";
  return ageMs <= silenceMs
    ? ok(check, `${source} reports`)
    : problem(
        check,
        `${source} last reported ${formatSpan(ageMs)} ago`,
        "check that it runs and reaches Redis: systemctl status, and its log",
      );
}
