import type { StateReport } from "../../../lib/telemetry/monitor-state.js";
import { byId, setText } from "./element.js";
import type { FlipDialog, FlipQuestion } from "./flip-dialog.js";

const STOP: FlipQuestion = {
  value: false,
  title: "Stop the canary?",
  effect:
    "All requests go to prod, which serves without the feature. It stays so until a person resumes the canary.",
  confirm: "Stop canary",
};
const HOLD: FlipQuestion = {
  ...STOP,
  title: "Keep the canary stopped?",
  effect:
    "The monitor will not let it in again by itself: it stays out until a person resumes it.",
  confirm: "Keep stopped",
};
const RESUME: FlipQuestion = {
  value: true,
  title: "Resume the canary?",
  effect:
    "It gets its share of the requests again, and the feature is on in prod.",
  confirm: "Resume canary",
};

/** The three buttons; what they ask is asked once more before it is done. */
export class Controls {
  readonly #dialog: FlipDialog;
  readonly #stop = byId("stop", HTMLButtonElement);
  readonly #resume = byId("resume", HTMLButtonElement);
  readonly #toggle = byId("toggle", HTMLButtonElement);

  constructor(dialog: FlipDialog) {
    this.#dialog = dialog;
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

/** Whether it stays false until a person resumes it. */
function isHeld({ value, by }: Flag): boolean {
  return !value && by === "operator";
}

function describeQuestion(value: boolean, flag: Flag): FlipQuestion {
  if (value)
    return flag.value
      ? { ...RESUME, done: "The canary is in already." }
      : RESUME;
  if (flag.value) return STOP;
  return isHeld(flag)
    ? {
        ...STOP,
        done: "The canary is stopped already, until a person resumes it.",
      }
    : HOLD;
}
