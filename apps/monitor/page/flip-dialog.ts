import { byId, setText } from "./element.js";

export interface FlipQuestion {
  value: boolean | "toggle";
  title: string;
  /** What comes of it. */
  effect: string;
  confirm: string;
}

/** Asks whether, why and, where one is set, for the token; then does it. The token is kept in this object and nowhere else. */
export class FlipDialog {
  readonly #dialog = byId("dialog", HTMLDialogElement);
  readonly #title = byId("dialog-title");
  readonly #effect = byId("dialog-effect");
  readonly #reason = byId("dialog-reason", HTMLInputElement);
  readonly #tokenField = byId("dialog-token-field");
  readonly #tokenInput = byId("dialog-token", HTMLInputElement);
  readonly #error = byId("dialog-error");
  readonly #confirm = byId("dialog-confirm", HTMLButtonElement);
  #question: FlipQuestion | undefined;
  #flagName = "";
  #isTokenRequired = false;
  #token: string | undefined;

  constructor() {
    byId("dialog-cancel").addEventListener("click", () => this.#dialog.close());
    byId("dialog-form").addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#submit();
    });
    // Whatever closes it, what was typed does not stay.
    this.#dialog.addEventListener("close", () => {
      this.#reason.value = "";
      this.#tokenInput.value = "";
    });
  }

  show(flagName: string, isTokenRequired: boolean): void {
    this.#flagName = flagName;
    this.#isTokenRequired = isTokenRequired;
  }

  ask(question: FlipQuestion): void {
    this.#question = question;
    setText(this.#title, question.title);
    setText(this.#effect, question.effect);
    setText(this.#confirm, question.confirm);
    setText(this.#error, "");
    this.#askForToken();
    this.#dialog.showModal();
    this.#reason.focus();
  }

  #askForToken(): void {
    this.#tokenField.hidden =
      !this.#isTokenRequired || this.#token !== undefined;
  }

  async #submit(): Promise<void> {
    if (this.#question === undefined || this.#confirm.disabled) return;
    const token = this.#token ?? this.#tokenInput.value.trim();
    if (this.#isTokenRequired && token === "") {
      this.#refuse(
        "Give the admin token: this monitor changes nothing without it.",
      );
      return;
    }
    this.#confirm.disabled = true;
    try {
      const problem = await this.#send(this.#question.value, token);
      if (problem === undefined) this.#dialog.close();
      else this.#refuse(problem);
    } finally {
      this.#confirm.disabled = false;
    }
  }

  /** @returns what went wrong, undefined when the flag is as asked */
  async #send(
    value: FlipQuestion["value"],
    token: string,
  ): Promise<string | undefined> {
    const reason = this.#reason.value.trim();
    const response = await fetch(`/api/flags/${this.#flagName}`, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        ...(token === "" ? {} : { authorization: `Bearer ${token}` }),
      },
      body: JSON.stringify({
        value,
        reason: reason === "" ? "asked for on the dashboard" : reason,
      }),
    }).catch(() => undefined);
    if (response === undefined)
      return "The monitor cannot be reached: nothing was changed.";
    if (response.ok) {
      if (token !== "") this.#token = token;
      return undefined;
    }
    if (response.status === 401) {
      this.#token = undefined;
      return "The monitor does not accept this token: nothing was changed.";
    }
    const { error } = (await response.json().catch(() => ({}))) as {
      error?: string;
    };
    return `Nothing was changed: ${error ?? `status ${response.status}`}.`;
  }

  #refuse(problem: string): void {
    setText(this.#error, problem);
    this.#askForToken();
    if (this.#tokenField.hidden) return;
    this.#tokenInput.focus();
    this.#tokenInput.select();
  }
}
