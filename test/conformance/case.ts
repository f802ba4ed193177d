import type { Stage } from "./stage.js";

/**
 * What a proxy did wrong: it let a request or response be framed in two ways, died, hung, kept what it should have let
 * go, took what it should have refused though without harm, or did something else than it should.
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

/** One thing that a proxy must get right; the same for our engines and for others. */
export interface Case {
  name: string;
  /** It sends signals or counts what the process holds: it gets a process of its own. */
  ownProcess?: boolean;
  /** It is about settings that only our proxy has. */
  oursOnly?: boolean;
  /** Settings of our proxy for a process of its own. */
  env?: Readonly<Record<string, string>>;
  /** How long it may take; 15 s unless told. */
  timeoutMs?: number;
  /** @throws Fault */
  run: (stage: Stage) => Promise<void>;
}

export interface Chapter {
  title: string;
  cases: readonly Case[];
}
