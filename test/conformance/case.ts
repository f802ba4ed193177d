import type { Harness } from "./harness.js";

/**
 * How a proxy failed a case: a request (`smuggled`) or response (`poisoned`) was framed in two ways or reached the wrong
 * peer, the process ended, a peer was left waiting, a resource was not released, invalid input was accepted without harm
 * (`lax`), or anything else.
 */
export type FaultKind =
  "smuggled" | "poisoned" | "crash" | "hang" | "leak" | "lax" | "wrong";

export class Fault extends Error {
  readonly kind: FaultKind;

  constructor(kind: FaultKind, detail: string) {
    super(`${kind}: ${detail}`);
    this.name = "Fault";
    this.kind = kind;
  }
}

/** @throws Fault unless `holds` */
export function check(
  holds: boolean,
  kind: FaultKind,
  detail: string | (() => string),
): asserts holds {
  if (!holds)
    throw new Fault(kind, typeof detail === "string" ? detail : detail());
}

/** One requirement on a proxy, the same for our engines and for other products. */
export interface Case {
  name: string;
  /** Runs in a process of its own, because it sends signals or measures the process. */
  ownProcess?: boolean;
  /** Needs settings that only our proxy has. */
  oursOnly?: boolean;
  /** Settings of our proxy, for a case with its own process. */
  env?: Readonly<Record<string, string>>;
  /** Default: 60 s. */
  timeoutMs?: number;
  /** @throws Fault */
  run: (harness: Harness) => Promise<void>;
}

export interface CaseGroup {
  title: string;
  cases: readonly Case[];
}
