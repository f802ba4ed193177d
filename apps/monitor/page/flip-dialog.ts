import { byId, setText } from "./element.js";

/** Longer than a monitor takes that is there. */
const TIMEOUT_MS = 5000;

export interface FlipQuestion {
  value: boolean;
  title: string;
  /** What comes of it. */
  effect: string;
  confirm: string;
  /** Why there is nothing left to do; undefined when there is. */
  done?: string;
}

/**
 * Asks whether, why and, where one is set, for the token; then does it. What is asked stays what is asked, whatever
 * happens to the flag meanwhile. The token is kept in this object and nowhere else.
 */
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
  /** What is under way; closing the dialog gives it up. */
  #sending: AbortController | undefined;

  constructor() {
    byId("dialog-cancel").addEventListener("click", () => this.#dialog.close());
    byId("dialog-form").addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#submit();
    });
    // Whatever closes it, what was typed does not stay.
    this.#dialog.addEventListener("close", () => {
      this.#sending?.abort();
      this.#sending = undefined;
      this.#question = undefined;
      this.#reason.value = "";
      this.#tokenInput.value = "";
    });
  }

  show(flagName: string, isTokenRequired: boolean): void {
    this.#flagName = flagName;
    this.#isTokenRequired = isTokenRequired;
  }

  /** Undefined while nothing is asked. */
  get value(): boolean | undefined {
    return this.#question?.value;
  }

  ask(question: FlipQuestion): void {
    setText(this.#error, "");
    this.#draw(question);
    this.#askForToken();
    this.#dialog.showModal();
    this.#reason.focus();
  }

  /** The same question in the words that fit now; not while it is being answered. */
  redraw(question: FlipQuestion): void {
    if (this.#sending === undefined) this.#draw(question);
  }

  #draw(question: FlipQuestion): void {
    const { title, effect, confirm, done } = question;
    setText(this.#title, title);
    setText(this.#effect, effect);
    setText(this.#confirm, confirm);
    if (done !== this.#question?.done) setText(this.#error, done ?? "");
    this.#confirm.disabled = done !== undefined;
    this.#question = question;
  }

  #askForToken(): void {
    this.#tokenField.hidden =
      !this.#isTokenRequired || this.#token !== undefined;
  }

  async #submit(): Promise<void> {
    const question = this.#question;
    if (question === undefined || this.#confirm.disabled) return;
    const token = this.#token ?? this.#tokenInput.value.trim();
    if (this.#isTokenRequired && token === "") {
      this.#refuse(
        "Give the admin token: this monitor changes nothing without it.",
      );
      return;
    }
    this.#confirm.disabled = true;
    const sending = (this.#sending = new AbortController());
    const timer = setTimeout(() => sending.abort(), TIMEOUT_MS);
    const problem = await this.#send(question.value, token, sending.signal);
    clearTimeout(timer);
    // It was cancelled, and another question may stand here.
    if (this.#sending !== sending) return;
    this.#sending = undefined;
    this.#confirm.disabled = false;
    if (problem === undefined) this.#dialog.close();
    else this.#refuse(problem);
  }

  /** @returns what went wrong, undefined when the flag is as asked */
  async #send(
    value: boolean,
    token: string,
    signal: AbortSignal,
  ): Promise<string | undefined> {
    const reason = this.#reason.value.trim();
    const response = await fetch(`/api/flags/${this.#flagName}`, {
      method: "POST",
      signal,
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
      return "The monitor does not answer: the flag may have been changed.";
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
