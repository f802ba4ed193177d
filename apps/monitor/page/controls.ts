import type { StateReport } from "../../../lib/telemetry/monitor-state.js";
import { byId, setText } from "./element.js";
import type { FlipDialog, FlipQuestion } from "./flip-dialog.js";

const STOP: FlipQuestion = {
  value: false,
  title: "Stop the canary?",
  effect:
    "All requests go to prod, which serves without the feature. The canary stays stopped until a person resumes it.",
  confirm: "Stop canary",
};
const HOLD: FlipQuestion = {
  ...STOP,
  title: "Keep the canary stopped?",
  effect:
    "The monitor will not resume it automatically. It stays stopped until a person resumes it.",
  confirm: "Keep stopped",
};
const RESUME: FlipQuestion = {
  value: true,
  title: "Resume the canary?",
  effect:
    "The canary gets its share of the requests again, and prod turns the feature on.",
  confirm: "Resume canary",
};

/** The three buttons, each with a confirmation. */
export class Controls {
  readonly #dialog: FlipDialog;
  readonly #stop = byId("stop", HTMLButtonElement);
  readonly #resume = byId("resume", HTMLButtonElement);
  readonly #toggle = byId("toggle", HTMLButtonElement);

  constructor(dialog: FlipDialog) {
    this.#dialog = dialog;
  }

  /** Nothing can be switched until the next state. */
  lock(): void {
    for (const button of [this.#stop, this.#resume, this.#toggle])
      button.disabled = true;
  }

  show({ flag }: StateReport): void {
    setText(
      this.#stop,
      flag.value || isHeld(flag) ? STOP.confirm : HOLD.confirm,
    );
    this.#stop.disabled = isHeld(flag);
    this.#resume.disabled = flag.value;
    this.#toggle.disabled = false;
    const ask = (value: boolean) => () =>
      this.#dialog.ask(describeQuestion(value, flag));
    this.#stop.onclick = ask(false);
    this.#resume.onclick = ask(true);
    this.#toggle.onclick = ask(!flag.value);
    const { value } = this.#dialog;
    if (value !== undefined) this.#dialog.redraw(describeQuestion(value, flag));
  }
}

type Flag = StateReport["flag"];

/** Whether the flag stays false until a person resumes the canary. */
function isHeld({ value, by }: Flag): boolean {
  return !value && by === "operator";
}

function describeQuestion(value: boolean, flag: Flag): FlipQuestion {
  if (value)
    return flag.value
      ? { ...RESUME, done: "The canary already gets its share." }
      : RESUME;
  if (flag.value) return STOP;
  return isHeld(flag)
    ? {
        ...STOP,
        done: "The canary is already stopped until a person resumes it.",
      }
    : HOLD;
}
