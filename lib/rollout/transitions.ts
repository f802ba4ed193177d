import {
  describePhase,
  describeStep,
  nameRollout,
} from "./describe-rollout.js";
import {
  currentStep,
  isOver,
  type Hold,
  type Phase,
  type Position,
  type Reading,
  type Rollout,
} from "./rollout.js";
import { checkOf, type Spec } from "./spec.js";
import { toPlain } from "../wording/plain-text.js";

/** What is asked of a rollout: by a person or a pipeline (the first group), or by the leading monitor. */
export type Request =
  | { verb: "start"; candidate: string; stable: string; spec: Spec }
  | { verb: "promote"; full?: boolean; harm?: number }
  | { verb: "pause"; notify?: boolean }
  | { verb: "resume" | "abort" | "retry" }
  | { verb: "checked"; passed: boolean }
  | { verb: "hold"; by: Hold; because: string }
  | { verb: "begin" }
  | { verb: "promoted"; hosts: number; of: number }
  | { verb: "finish" };

export type Verb = Request["verb"];

/** For `RolloutStore.apply`, which writes it if the stored rollout is still at `from`. */
export interface Change {
  from: Position;
  set: Partial<Rollout>;
  /** All other fields of the hash go. */
  isNew?: true;
  /** In percent; `null`: SPLIT holds again. */
  weight?: number | null;
  flag?: boolean;
  event: { rollout: number | null; phase: Phase } & Record<string, unknown>;
  /** Whether people should know. A change of the flag is always reported. */
  notify: boolean;
  /** The event of the rollout that this one supersedes. */
  superseded?: { rollout: number; phase: "Superseded" };
}

/** The sentence says what has happened once the change is written. A refusal says why nothing happens. */
export type Decision =
  { change: Change; sentence: string } | { refusal: string };

/** @param now ms since the epoch, by Redis's clock */
export function decide(
  reading: Reading,
  request: Request,
  now: number,
): Decision {
  if (request.verb === "start") return start(reading, request, now);
  const { rollout } = reading;
  if (rollout === undefined) {
    if (request.verb === "abort" && reading.problem !== undefined)
      return abortUnreadable(reading, now);
    return { refusal: reading.problem ?? "there is no rollout" };
  }
  const refusal = refuse(rollout, request, now);
  if (refusal !== undefined) return { refusal };
  const { set, sentence, ...change } = transform(rollout, request, now);
  const changed = { ...rollout, ...set };
  const { weight } = set;
  return {
    sentence: `${nameRollout(rollout)}${sentence}`,
    change: {
      notify: false,
      ...(weight !== undefined && { weight }),
      ...change,
      from: reading.position,
      set: { ...set, at: now },
      event: describePlace(changed),
    },
  };
}

/** Where each request makes sense, and what is missing elsewhere: `nothing to promote`. */
const POSSIBLE: Record<
  Exclude<Verb, "start">,
  { phases: readonly Phase[]; nothing: string }
> = {
  promote: { phases: ["Progressing", "Paused"], nothing: "promote" },
  pause: { phases: ["Progressing"], nothing: "pause" },
  resume: { phases: ["Paused"], nothing: "resume" },
  abort: { phases: ["Progressing", "Paused", "Promoting"], nothing: "abort" },
  retry: { phases: ["Aborted"], nothing: "retry" },
  checked: { phases: ["Progressing", "Paused"], nothing: "check" },
  hold: { phases: ["Progressing"], nothing: "hold" },
  begin: { phases: ["Progressing"], nothing: "begin" },
  promoted: { phases: ["Promoting"], nothing: "count" },
  finish: { phases: ["Promoting"], nothing: "finish" },
};

function refuse(
  rollout: Rollout,
  { verb }: Exclude<Request, { verb: "start" }>,
  now: number,
): string | undefined {
  const { phases, nothing } = POSSIBLE[verb];
  const isPossible =
    phases.includes(rollout.phase) &&
    (verb !== "checked" ||
      (checkOf(currentStep(rollout)) !== undefined &&
        rollout.heldBy !== "version"));
  return isPossible
    ? undefined
    : `nothing to ${nothing}: rollout ${rollout.id} ${describePhase(rollout, now)}`;
}

type Outcome = Pick<Change, "set"> &
  Partial<Pick<Change, "weight" | "flag" | "notify">> & { sentence: string };

function transform(
  rollout: Rollout,
  request: Exclude<Request, { verb: "start" }>,
  now: number,
): Outcome {
  if (isFinding(request)) return note(rollout, request, now);
  const { steps } = rollout.spec.rollout;
  switch (request.verb) {
    case "promote": {
      const place = request.full ? steps.length : rollout.step + 1;
      const { set, ...next } = goTo(rollout, place, now);
      const { harm = rollout.harm } = request;
      return { ...next, set: { ...set, harm } };
    }
    case "pause":
      return {
        set: { phase: "Paused", pausedAt: now, ...NOT_HELD },
        sentence: ` is paused: ${describeStep(rollout)}`,
        notify: request.notify ?? false,
      };
    case "resume": {
      const step = currentStep(rollout);
      if (step !== undefined && "pause" in step)
        return goTo(rollout, rollout.step + 1, now);
      const pausedMs = now - (rollout.pausedAt ?? now);
      const stepStartedAt = rollout.stepStartedAt + pausedMs;
      return {
        set: { phase: "Progressing", pausedAt: null, stepStartedAt },
        sentence: ` goes on: ${describeStep(rollout)}`,
      };
    }
    case "abort":
      return { ...ABORT, sentence: " is aborted" };
    case "retry": {
      const first = goTo({ ...rollout, weight: 0 }, 0, now);
      const fresh = { outcome: null, harm: 0, startedAt: now };
      return { ...first, set: { ...first.set, ...fresh }, flag: true };
    }
    case "checked":
      return request.passed
        ? { set: { checked: true }, sentence: ": its check has passed" }
        : { ...ABORT, sentence: " is aborted: its check has failed" };
  }
}

/** What the leading monitor has found out, and nobody asks for. */
type Finding = Extract<
  Request,
  { verb: "hold" | "begin" | "promoted" | "finish" }
>;

function isFinding(request: Request): request is Finding {
  return ["hold", "begin", "promoted", "finish"].includes(request.verb);
}

function note(rollout: Rollout, request: Finding, now: number): Outcome {
  switch (request.verb) {
    case "hold":
      return {
        set: { heldBy: request.by, heldSince: now },
        sentence: ` is held: ${request.because}`,
      };
    case "begin":
      return {
        set: { stepStartedAt: now, checked: false, ...NOT_HELD },
        sentence: `: ${describeStep(rollout)}`,
      };
    case "promoted":
      return {
        set: { promoted: request.hosts, stepStartedAt: now },
        sentence: `: ${request.hosts} of ${request.of} prod hosts run it`,
      };
    case "finish":
      return {
        set: { phase: "Healthy", outcome: "promoted", ...NOT_HELD },
        weight: null,
        sentence: " is Healthy: prod runs it",
        notify: true,
      };
  }
}

const NOT_HELD = { heldBy: null, heldSince: null };
const ABORT = {
  set: { phase: "Aborted", weight: 0, ...NOT_HELD },
  flag: false,
} as const;

/** To a step, or to `Promoting` behind the last. A pause keeps the weight. */
function goTo(rollout: Rollout, place: number, now: number): Outcome {
  const step = rollout.spec.rollout.steps[place];
  const begun = {
    step: place,
    stepStartedAt: now,
    checked: false,
    pausedAt: null,
    ...NOT_HELD,
  };
  if (step === undefined) {
    const step = rollout.spec.rollout.steps.length;
    return {
      set: { ...begun, phase: "Promoting", step, promoted: 0 },
      sentence: ": all steps are done, prod can get it",
      notify: true,
    };
  }
  const waits = "pause" in step;
  const weight = waits ? rollout.weight : step.weight;
  const set = {
    ...begun,
    weight,
    phase: waits ? "Paused" : "Progressing",
    pausedAt: waits ? now : null,
  } as const;
  const reached = describeStep({ ...rollout, ...set });
  return {
    set,
    sentence: waits ? ` waits for a person: ${reached}` : `: ${reached}`,
    notify: waits,
  };
}

function start(
  { position, rollout, problem }: Reading,
  request: Extract<Request, { verb: "start" }>,
  now: number,
): Decision {
  const { candidate, stable, spec } = request;
  if (![candidate, stable || candidate].every(isReleaseName))
    return {
      refusal: "a release has a name of 1 to 200 printable characters",
    };
  const goesOn = rollout !== undefined && !isOver(rollout);
  if (goesOn && rollout.candidate === candidate)
    return {
      refusal: `${nameRollout(rollout)} was started already: it ${describePhase(rollout, now)}`,
    };
  const last = /^\d{1,15}$/.test(position.id) ? Number(position.id) : 0;
  const blank: Rollout = {
    ...{ id: last + 1, candidate, stable, spec, weight: 0, harm: 0 },
    ...{ outcome: null, by: "", reason: "", at: now, startedAt: now },
    ...{ phase: "Progressing", step: 0, stepStartedAt: now, checked: false },
    ...{ pausedAt: null, heldBy: null, heldSince: null, promoted: 0 },
  };
  const first = goTo(blank, 0, now);
  const begun = { ...blank, ...first.set };
  const instead = goesOn
    ? `, instead of rollout ${rollout.id}`
    : problem === undefined
      ? ""
      : `; ${problem}`;
  return {
    sentence: `${nameRollout(begun)} has started${instead}: ${describeStep(begun)}`,
    change: {
      ...{ from: position, isNew: true, set: begun },
      ...{ weight: begun.weight, flag: true, notify: first.notify ?? false },
      event: { ...describePlace(begun), candidate, stable },
      ...(goesOn && {
        superseded: { rollout: rollout.id, phase: "Superseded" },
      }),
    },
  };
}

/** The flag needs no readable rollout to go off. */
function abortUnreadable(
  { position, problem }: Reading,
  now: number,
): Decision {
  return {
    sentence: `the rollout is aborted; ${problem ?? ""}`,
    change: {
      ...{ from: position, flag: false, weight: 0, notify: true },
      set: { phase: "Aborted", weight: 0, at: now },
      event: { rollout: null, phase: "Aborted" },
    },
  };
}

function describePlace(rollout: Rollout) {
  const { id, phase, step, weight, candidate, heldBy } = rollout;
  return {
    rollout: id,
    phase,
    step,
    weight,
    candidate,
    ...(heldBy !== null && { heldBy }),
  };
}

function isReleaseName(name: string): boolean {
  return name.length > 0 && name.length <= 200 && toPlain(name) === name;
}
