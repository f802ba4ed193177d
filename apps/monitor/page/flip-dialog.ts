import { byId, setText } from "./element.js";

/** More than a reachable monitor needs. */
const TIMEOUT_MS = 5000;

export interface FlipQuestion {
  value: boolean;
  title: string;
  /** The consequences. */
  effect: string;
  confirm: string;
  /** Why nothing is left to do, or undefined. */
  done?: string;
}

/**
 * Asks for confirmation, a reason and, if the monitor has one, the admin token, and then flips the flag. A flip in the
 * meantime does not change the question. The token is stored only in this object.
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
  /** The flag was set without effect: nothing is left to ask, but something to read. */
  #isSet = false;
  /** The current request, which closing the dialog aborts. */
  #sending: AbortController | undefined;

  constructor() {
    byId("dialog-cancel").addEventListener("click", () => this.#dialog.close());
    byId("dialog-form").addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#submit();
    });
    // Whatever closes the dialog. This event is queued, so the next question may have been asked before it.
    this.#dialog.addEventListener("close", () => {
      if (!this.#dialog.open) this.#clear();
    });
  }

  show(flagName: string, isTokenRequired: boolean): void {
    this.#flagName = flagName;
    this.#isTokenRequired = isTokenRequired;
  }

  /** Undefined while the dialog is closed. */
  get value(): boolean | undefined {
    return this.#question?.value;
  }

  ask(question: FlipQuestion): void {
    this.#clear();
    setText(this.#error, "");
    this.#draw(question);
    this.#askForToken();
    this.#dialog.showModal();
    this.#reason.focus();
  }

  /** Updates the text of the question, except during a request. */
  redraw(question: FlipQuestion): void {
    if (this.#sending === undefined && !this.#isSet) this.#draw(question);
  }

  #clear(): void {
    this.#sending?.abort();
    this.#sending = undefined;
    this.#question = undefined;
    this.#isSet = false;
    this.#reason.value = "";
    this.#tokenInput.value = "";
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
        "Enter the admin token: this monitor requires it for changes.",
      );
      return;
    }
    this.#confirm.disabled = true;
    const sending = (this.#sending = new AbortController());
    const timer = setTimeout(() => sending.abort(), TIMEOUT_MS);
    const problem = await this.#send(question.value, token, sending.signal);
    clearTimeout(timer);
    // The request was cancelled, and the dialog may show another question.
    if (this.#sending !== sending) return;
    this.#sending = undefined;
    this.#confirm.disabled = this.#isSet;
    if (problem === undefined) this.#dialog.close();
    else this.#refuse(problem);
  }

  /** @returns what is wrong, or undefined when the flag was changed and all proxies have followed */
  async #send(
    value: boolean,
    token: string,
    signal: AbortSignal,
  ): Promise<string | undefined> {
    const reason = this.#reason.value.trim();
    const response = await fetch(`api/flags/${this.#flagName}`, {
      method: "POST",
      signal,
      headers: {
        "content-type": "application/json",
        ...(token === "" ? {} : { authorization: `Bearer ${token}` }),
      },
      body: JSON.stringify({
        value,
        reason: reason === "" ? "requested on the dashboard" : reason,
      }),
    }).catch(() => undefined);
    if (response === undefined)
      return "The monitor does not answer: the flag may have been changed.";
    const answer = (await response.json().catch(() => ({}))) as {
      error?: string;
      confirmed?: boolean;
      effect?: string;
    };
    if (response.ok) {
      if (token !== "") this.#token = token;
      if (answer.confirmed !== false) return undefined;
      this.#isSet = true;
      return `The flag was set, but ${answer.effect ?? "no proxy confirms it"}.`;
    }
    if (response.status === 401) {
      this.#token = undefined;
      return "The monitor does not accept this token: nothing was changed.";
    }
    return `Nothing was changed: ${answer.error ?? `status ${response.status}`}.`;
  }

  #refuse(problem: string): void {
    setText(this.#error, problem);
    this.#askForToken();
    if (this.#tokenField.hidden) return;
    this.#tokenInput.focus();
    this.#tokenInput.select();
  }
}
