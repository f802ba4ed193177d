/** Something wrong, as long as it lasts. */
export interface Alert {
  /** Stable while it lasts: a name of the table and, of most, whom it concerns, as in `gone:agent@web1:3101`. */
  id: string;
  kind: "alert" | "silence" | "breach";
  reason: string;
  data: Record<string, unknown>;
}

/** What tells whether an alert is over. */
export interface Senses {
  /** Whether this proxy or agent is heard. */
  hears: (source: string) => boolean;
  hearsProxy: () => boolean;
  /** Whether the app of this agent was gone or failed its probe when it was last heard of. */
  isUnwell: (source: string) => boolean;
}

/** Whether an alert's absence means that it is over, and not just unknown. */
type IsKnown = (of: string, senses: Senses) => boolean;

const heard: IsKnown = (of, senses) => senses.hears(of);
/** A monitor that has just taken over has not watched for as long as its predecessor had. */
const heardWell: IsKnown = (of, senses) =>
  senses.hears(of) && !senses.isUnwell(of);
const anyProxyHeard: IsKnown = (_of, senses) => senses.hearsProxy();
const always: IsKnown = () => true;

/** All alerts, by what their ids begin with. The sentence ends them; `*` is whom they concern. */
const MEANINGS = {
  gone: ["alert", heardWell, "the app of * is no longer gone"],
  probe: ["alert", heardWell, "the app of * no longer fails its health probe"],
  silence: ["silence", heard, "* is no longer silent"],
  cpu: ["alert", heard, "the app of * no longer keeps a core busy"],
  latency: ["breach", anyProxyHeard, "* is no longer slow"],
  "verdict:worse": [
    ...(["breach", always] as const),
    "the canary is no longer found to be worse than prod",
  ],
  "verdict:split": [
    ...(["alert", always] as const),
    "the split deals requests in its ratio again",
  ],
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

/** @param of whom it concerns: an agent, a proxy or a side */
export function createAlert(
  name: AlertName,
  told: { of?: string; reason: string; data: Record<string, unknown> },
): Alert {
  const { of, reason, data } = told;
  return {
    id: of === undefined ? name : `${name}:${of}`,
    kind: MEANINGS[name][0],
    reason,
    data: { alert: typeOfAlert(name), ...data },
  };
}

/** What to say when the alert with this id is over. */
export function describeEnd(id: string): string {
  const { of, meaning } = explain(id);
  return meaning?.[2].replace("*", () => of) ?? `over: ${id}`;
}

/** Whether this alert, which is raised and not found any more, is over. */
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
