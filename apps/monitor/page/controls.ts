import type { StateReport } from "../../../lib/telemetry/monitor-state.js";
import type { ChangeDialog, ChangeQuestion } from "./change-dialog.js";
import { byId, setText } from "./element.js";
import type { Rollout } from "./rollout-view.js";

type Text = Pick<ChangeQuestion, "title" | "effect" | "confirm">;

const STOP: Text = {
  title: "Stop the canary?",
  effect:
    "All requests go to prod, which serves without the feature. The canary stays stopped until a person resumes it.",
  confirm: "Stop canary",
};
const HOLD: Text = {
  ...STOP,
  title: "Keep the canary stopped?",
  effect:
    "The monitor will not resume it automatically. It stays stopped until a person resumes it.",
  confirm: "Keep stopped",
};
const RESUME: Text = {
  title: "Resume the canary?",
  effect:
    "The canary gets its share of the requests again, and prod turns the feature on.",
  confirm: "Resume canary",
};

/** What can be asked of a rollout, and in which phases. */
const VERBS: Record<string, Text & { phases: Rollout["phase"][] }> = {
  promote: {
    phases: ["Progressing", "Paused"],
    title: "Begin the next step now?",
    effect:
      "The canary gets the weight of the next step, whatever time and requests this one still needs. After the last step prod can get the release.",
    confirm: "Next step",
  },
  pause: {
    phases: ["Progressing"],
    title: "Pause the rollout?",
    effect:
      "The canary keeps its weight, and no step begins. All rules stay on guard.",
    confirm: "Pause",
  },
  resume: {
    phases: ["Paused"],
    title: "Let the rollout go on?",
    effect: "The step goes on where it was paused; a pause step ends.",
    confirm: "Go on",
  },
  abort: {
    phases: ["Progressing", "Paused", "Promoting"],
    title: "Abort the rollout?",
    effect:
      "All requests go to prod at once. The canary stays stopped until the rollout is retried or another release comes.",
    confirm: "Abort",
  },
  retry: {
    phases: ["Aborted"],
    title: "Try this release again?",
    effect: "The rollout begins again at its first step.",
    confirm: "Retry",
  },
};

/** The buttons, each with a confirmation. Those of the rollout are there when they apply. */
export class Controls {
  readonly #dialog: ChangeDialog;
  readonly #stop = byId("stop", HTMLButtonElement);
  readonly #resume = byId("resume", HTMLButtonElement);
  readonly #verbs = Object.keys(VERBS).map((verb) => ({
    verb,
    button: byId(`rollout-${verb}`, HTMLButtonElement),
  }));
  #state: StateReport | undefined;

  constructor(dialog: ChangeDialog) {
    this.#dialog = dialog;
    const buttons = [
      { id: "stop", button: this.#stop },
      { id: "resume-canary", button: this.#resume },
      ...this.#verbs.map(({ verb, button }) => ({ id: verb, button })),
    ];
    for (const { id, button } of buttons)
      button.addEventListener("click", () => {
        if (this.#state !== undefined)
          this.#dialog.ask(describeQuestion(id, this.#state));
      });
  }

  /** Nothing can be changed until the next state. */
  lock(): void {
    for (const button of [this.#stop, this.#resume]) button.disabled = true;
    for (const { button } of this.#verbs) button.disabled = true;
  }

  show(state: StateReport): void {
    this.#state = state;
    const { flag, rollout } = state;
    setText(
      this.#stop,
      flag.value || isHeld(flag) ? STOP.confirm : HOLD.confirm,
    );
    this.#stop.disabled = isHeld(flag);
    // An aborted rollout has no weight to resume with: it is retried.
    this.#resume.disabled = flag.value || rollout?.phase === "Aborted";
    for (const { verb, button } of this.#verbs) {
      button.disabled = false;
      button.hidden = !isPossible(verb, rollout);
    }
    const { asked } = this.#dialog;
    if (asked !== undefined)
      this.#dialog.redraw(describeQuestion(asked, state));
  }
}

type Flag = StateReport["flag"];

/** Whether the flag stays false until a person resumes the canary. */
function isHeld({ value, by }: Flag): boolean {
  return !value && by === "operator";
}

function isPossible(verb: string, rollout: StateReport["rollout"]): boolean {
  return !!rollout && VERBS[verb]?.phases.includes(rollout.phase) === true;
}

function describeQuestion(id: string, state: StateReport): ChangeQuestion {
  const verb = VERBS[id];
  if (verb === undefined) return describeFlip(id, state);
  const isDone = !isPossible(id, state.rollout);
  return {
    ...{ id, path: `api/rollout/${id}`, body: {} },
    ...verb,
    ...(isDone && { done: "The rollout is no longer where this applies." }),
  };
}

function describeFlip(id: string, { flag }: StateReport): ChangeQuestion {
  const value = id !== "stop";
  const change = { id, path: `api/flags/${flag.name}`, body: { value } };
  if (value)
    return flag.value
      ? { ...change, ...RESUME, done: "The canary already gets its share." }
      : { ...change, ...RESUME };
  if (flag.value) return { ...change, ...STOP };
  return isHeld(flag)
    ? {
        ...{ ...change, ...STOP },
        done: "The canary is already stopped until a person resumes it.",
      }
    : { ...change, ...HOLD };
}
