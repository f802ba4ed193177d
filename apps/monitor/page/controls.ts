import type { StateReport } from "../../../lib/monitor-state.js";
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
const TOGGLE = {
  value: "toggle",
  title: "Toggle the flag?",
  confirm: "Toggle",
} as const;

/** The three buttons; what they ask is asked once more before it is done. */
export class Controls {
  readonly #stop = byId("stop", HTMLButtonElement);
  readonly #resume = byId("resume", HTMLButtonElement);
  readonly #toggle = byId("toggle", HTMLButtonElement);
  #flag: StateReport["flag"] | undefined;

  constructor(dialog: FlipDialog) {
    this.#stop.addEventListener("click", () =>
      dialog.ask(this.#flag?.value === false ? HOLD : STOP),
    );
    this.#resume.addEventListener("click", () => dialog.ask(RESUME));
    this.#toggle.addEventListener("click", () => {
      const { effect } = this.#flag?.value === false ? RESUME : STOP;
      dialog.ask({ ...TOGGLE, effect });
    });
  }

  show({ flag }: StateReport): void {
    this.#flag = flag;
    const isHeld = !flag.value && flag.by === "operator";
    setText(this.#stop, flag.value || isHeld ? STOP.confirm : HOLD.confirm);
    this.#stop.disabled = isHeld;
    this.#resume.disabled = flag.value;
    this.#toggle.disabled = false;
  }
}
