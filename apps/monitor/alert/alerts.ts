import type { Side } from "../../../lib/telemetry/telemetry.js";

/** A lasting problem. */
export interface Alert {
  /** Stable while the problem lasts: its type and usually a subject, as in `gone:agent@web1:3101`. */
  id: string;
  kind: "alert" | "silence" | "breach";
  reason: string;
  data: Record<string, unknown>;
}

/** Decides whether an alert is over. */
export interface Senses {
  /** Whether this proxy or agent sends telemetry. */
  hears: (source: string) => boolean;
  /** Whether the side has enough requests for the latency rule. */
  isJudged: (side: Side) => boolean;
  /** Whether there is a verdict. */
  isCompared: () => boolean;
  /** Whether the agent's last sample shows its app gone or failing its probe. */
  isUnwell: (source: string) => boolean;
}

/** Whether a missing alert is over, rather than its state unknown. */
type IsKnown = (of: string, senses: Senses) => boolean;

const heard: IsKnown = (of, senses) => senses.hears(of);
/** A new leader may not have watched for long enough to find an alert of its predecessor. */
const heardWell: IsKnown = (of, senses) =>
  senses.hears(of) && !senses.isUnwell(of);
const judged: IsKnown = (of, senses) =>
  senses.isJudged(of === "canary" ? of : "prod");
const compared: IsKnown = (_of, senses) => senses.isCompared();
const always: IsKnown = () => true;

/** All alerts by the beginning of their ids. The sentence reports the end; `*` is the subject. */
const MEANINGS = {
  gone: ["alert", heardWell, "the app of * is no longer gone"],
  probe: ["alert", heardWell, "the app of * no longer fails its health probe"],
  silence: ["silence", heard, "* is no longer silent"],
  cpu: ["alert", heard, "the app of * no longer keeps a core busy"],
  memory: ["alert", heard, "the memory of the app of * is near prod's again"],
  latency: ["breach", judged, "* is no longer slow"],
  "verdict:worse": [
    "breach",
    compared,
    "the canary no longer looks worse than prod",
  ],
  "verdict:split": ["alert", compared, "the split matches its ratio again"],
  "rollout:held": ["alert", always, "the rollout is no longer held"],
  "rollout:harm": ["alert", always, "the rollout's harm is over"],
  "rollout:capacity": [
    "alert",
    always,
    "no rollout goes beyond the canary's share of the hosts",
  ],
  "rollout:unreadable": ["alert", always, "the rollout can be read again"],
  "flag-value": ["alert", always, "the flag holds true or false again"],
} satisfies Record<string, Meaning>;
type Meaning = readonly [kind: Alert["kind"], isKnown: IsKnown, end: string];

type AlertName = keyof typeof MEANINGS;

/** The kinds of alerts, for metrics. */
export const ALERT_TYPES = [
  ...new Set(Object.keys(MEANINGS).map((name) => typeOfAlert(name))),
];

/** `verdict` of `verdict:split` */
export function typeOfAlert(id: string): string {
  return id.split(":", 1).join("");
}

/** @param alert.of its subject: an agent, a proxy or a side */
export function createAlert(
  name: AlertName,
  alert: { of?: string; reason: string; data: Record<string, unknown> },
): Alert {
  const { of, reason, data } = alert;
  return {
    id: of === undefined ? name : `${name}:${of}`,
    kind: MEANINGS[name][0],
    reason,
    data: { alert: typeOfAlert(name), ...data },
  };
}

/** The sentence for the end of the alert with this id. */
export function describeEnd(id: string): string {
  const { of, meaning } = explain(id);
  return meaning?.[2].replace("*", () => of) ?? `over: ${id}`;
}

/** Whether this raised alert, which is no longer found, is over. */
export function isOver(id: string, senses: Senses): boolean {
  const { of, meaning } = explain(id);
  return (meaning?.[1] ?? heard)(of, senses);
}

function explain(id: string): { of: string; meaning: Meaning | undefined } {
  const type = typeOfAlert(id);
  const meanings: Partial<Record<string, Meaning>> = MEANINGS;
  const of = id.slice(type.length + 1);
  return { of, meaning: meanings[id] ?? meanings[type] };
}
