import { formatSpan } from "../../../../lib/wording/units.js";
import type { LedgerEvent } from "../../../../lib/flag/ledger.js";
import { entryTimeMs } from "../../../../lib/redis/stream-entry.js";
import { SIDES } from "../../../../lib/telemetry/telemetry.js";
import type { Heard } from "../../sources/telemetry-scan.js";
import { ok, problem, type Finding } from "./finding.js";

/** Each proxy's and agent's last sign of life. Who has said that it stops is not missed. */
export function judgePresence(facts: {
  /** What each told last. */
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
        "none is heard",
        "start one with this Redis and KEY_PREFIX, and look at its log",
      ),
    );
  for (const side of SIDES)
    if (!has((heard) => heard.kind === "host" && heard.data.target === side))
      findings.push(
        problem(
          "agent",
          `none of ${side} is heard`,
          `start one with TARGET=${side} beside its app, and look at its log`,
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
    ? ok(check, `${source} is heard`)
    : problem(
        check,
        `${source} was last heard ${formatSpan(ageMs)} ago`,
        "look whether it runs and reaches Redis: systemctl status, and its log",
      );
}
