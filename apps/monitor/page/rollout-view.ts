import type { StateReport } from "../../../lib/telemetry/monitor-state.js";
import { nameRelease } from "../../../lib/wording/release-name.js";
import {
  formatClock,
  formatCount,
  formatCountdown,
  formatPercent,
  formatSpan,
  parseDuration,
} from "../../../lib/wording/units.js";
import { byId, element, setText } from "./element.js";

export type Rollout = NonNullable<StateReport["rollout"]>;

/** A step of serin.yml. */
interface Step {
  weight?: number;
  for?: string;
  pause?: boolean;
}

const STATES = {
  done: { sign: "✓", said: "done" },
  current: { sign: "▶", said: "now" },
  paused: { sign: "‖", said: "paused" },
  failed: { sign: "✕", said: "aborted" },
  next: { sign: "", said: "" },
};
type State = keyof typeof STATES;

const PHASES: Partial<Record<Rollout["phase"], string>> = {
  Progressing: "in progress",
  Paused: "paused",
  Promoting: "prod gets it",
  Healthy: "done: prod runs it",
  Aborted: "aborted",
};

/** The release on its way: its steps, where it is, what holds it, and what harm it did. */
export class RolloutView {
  readonly #section = byId("rollout");
  readonly #title = byId("rollout-title");
  readonly #link = byId("rollout-link", HTMLAnchorElement);
  readonly #detail = byId("rollout-detail");
  readonly #track = byId("rollout-track");

  show(rollout: Rollout | null | undefined, now: number): void {
    this.#section.hidden = !rollout;
    if (!rollout) return;
    const { id, candidate, phase } = rollout;
    this.#section.dataset.phase = phase;
    setText(
      this.#title,
      `Rollout ${id} of ${nameRelease(candidate) ?? candidate}: ${PHASES[phase] ?? phase}`,
    );
    this.#link.href = `rollouts/${id}`;
    setText(this.#detail, describeRollout(rollout, now));
    this.#drawTrack(listBoxes(rollout, now));
  }

  #drawTrack(boxes: Box[]): void {
    while (this.#track.childElementCount > boxes.length)
      this.#track.lastElementChild?.remove();
    boxes.forEach(({ name, state, time }, place) => {
      const box = this.#track.children[place] ?? this.#append();
      const { sign, said } = STATES[state];
      box.setAttribute("data-state", state);
      if (state === "next" || state === "done")
        box.removeAttribute("aria-current");
      else box.setAttribute("aria-current", "step");
      const [mark, label, meaning, spent] = box.children;
      if (mark) setText(mark, sign);
      if (label) setText(label, name);
      if (meaning) setText(meaning, said);
      if (spent) setText(spent, time);
    });
  }

  #append(): HTMLLIElement {
    const box = element(
      "li",
      {},
      element("span", { class: "track-mark", "aria-hidden": "true" }),
      element("span", { class: "track-name" }),
      element("span", { class: "unseen" }),
      element("span", { class: "track-time" }),
    );
    this.#track.append(box);
    return box;
  }
}

interface Box {
  name: string;
  state: State;
  /** `0:41 of 1:00`; empty where no time runs. */
  time: string;
}

function listBoxes(rollout: Rollout, now: number): Box[] {
  const { step, phase } = rollout;
  const steps = readSteps(rollout);
  const names = [...steps.map(nameStep), "prod"];
  return names.map((name, place) => {
    const isCurrent = place === step && phase !== "Healthy";
    const state = isCurrent ? stateOf(phase) : "next";
    const isDone = place < step || phase === "Healthy";
    const time = isCurrent ? describeTime(rollout, steps[place], now) : "";
    return { name, state: isDone ? "done" : state, time };
  });
}

function readSteps({ spec }: Rollout): Step[] {
  const { steps } = (spec.rollout ?? {}) as { steps?: Step[] };
  return steps ?? [];
}

function nameStep({ weight, pause }: Step): string {
  return pause === true ? "pause" : formatPercent(weight ?? 0);
}

function stateOf(phase: Rollout["phase"]): State {
  if (phase === "Aborted" || phase === "Superseded") return "failed";
  return phase === "Paused" ? "paused" : "current";
}

function describeTime(
  { stepStartedAt, pausedAt, at, phase }: Rollout,
  step: Step | undefined,
  now: number,
): string {
  const ofMs = parseDuration(step?.for ?? "") ?? 0;
  if (ofMs === 0) return "";
  const stoppedAt = phase === "Aborted" ? at : pausedAt;
  const until = stoppedAt === null ? now : Date.parse(stoppedAt);
  const spentMs = Math.max(0, until - Date.parse(stepStartedAt));
  const shownMs = Math.min(ofMs, Math.floor(spentMs / 1000) * 1000);
  return `${formatCountdown(shownMs)} of ${formatCountdown(ofMs)}`;
}

function describeRollout(rollout: Rollout, now: number): string {
  const { heldBy, heldSince, by, reason, at, harm, spec } = rollout;
  const { harm: budget } = (spec.analysis ?? {}) as {
    harm?: { requests?: number };
  };
  const since = heldSince === null ? now : Date.parse(heldSince);
  return [
    heldBy === null ? "" : `held for ${formatSpan(now - since)}`,
    `${formatClock(new Date(at), now)} by ${by}: ${reason}`,
    budget?.requests === undefined
      ? ""
      : `harm ${formatCount(harm)} of at most ${formatCount(budget.requests)} requests`,
  ]
    .filter((part) => part !== "")
    .join(" · ");
}
