import { byId, setText } from "./element.js";

/** More than a reachable monitor needs. */
const TIMEOUT_MS = 5000;

/** A change that the monitor makes once the person confirms it. */
export interface ChangeQuestion {
  /** Whatever opened the dialog, such as `stop`. */
  id: string;
  /** What is posted with the reason, and where. */
  path: string;
  body: Record<string, unknown>;
  title: string;
  /** The consequences. */
  effect: string;
  confirm: string;
  /** Why nothing is left to do, or undefined. */
  done?: string;
}

/**
 * Asks for confirmation, a reason and, if the monitor has one, the admin token, and then posts the change. Another change in
 * the meantime does not change the question. The token is stored only in this object.
 */
export class ChangeDialog {
  readonly #dialog = byId("dialog", HTMLDialogElement);
  readonly #title = byId("dialog-title");
  readonly #effect = byId("dialog-effect");
  readonly #reason = byId("dialog-reason", HTMLInputElement);
  readonly #tokenField = byId("dialog-token-field");
  readonly #tokenInput = byId("dialog-token", HTMLInputElement);
  readonly #error = byId("dialog-error");
  readonly #confirm = byId("dialog-confirm", HTMLButtonElement);
  #question: ChangeQuestion | undefined;
  #isTokenRequired = false;
  #token: string | undefined;
  /** The change was made without effect: nothing is left to ask, but something to read. */
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

  show(isTokenRequired: boolean): void {
    this.#isTokenRequired = isTokenRequired;
  }

  /** Undefined while the dialog is closed. */
  get asked(): string | undefined {
    return this.#question?.id;
  }

  ask(question: ChangeQuestion): void {
    this.#clear();
    setText(this.#error, "");
    this.#draw(question);
    this.#askForToken();
    this.#dialog.showModal();
    this.#reason.focus();
  }

  /** Updates the text of the question, except during a request. */
  redraw(question: ChangeQuestion): void {
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

  #draw(question: ChangeQuestion): void {
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
    const problem = await this.#send(question, token, sending.signal);
    clearTimeout(timer);
    // The request was cancelled, and the dialog may show another question.
    if (this.#sending !== sending) return;
    this.#sending = undefined;
    this.#confirm.disabled = this.#isSet;
    if (problem === undefined) this.#dialog.close();
    else this.#refuse(problem);
  }

  /** @returns what is wrong, or undefined when the change was made and all proxies have followed */
  async #send(
    { path, body }: ChangeQuestion,
    token: string,
    signal: AbortSignal,
  ): Promise<string | undefined> {
    const reason = this.#reason.value.trim();
    const response = await fetch(path, {
      method: "POST",
      signal,
      headers: {
        "content-type": "application/json",
        ...(token === "" ? {} : { authorization: `Bearer ${token}` }),
      },
      body: JSON.stringify({
        ...body,
        reason: reason === "" ? "requested on the dashboard" : reason,
      }),
    }).catch(() => undefined);
    if (response === undefined)
      return "The monitor does not answer: the change may have been made.";
    const answer = (await response.json().catch(() => ({}))) as {
      error?: string;
      confirmed?: boolean;
      effect?: string;
    };
    if (response.ok) {
      if (token !== "") this.#token = token;
      if (answer.confirmed !== false) return undefined;
      this.#isSet = true;
      return `The change was made, but ${answer.effect ?? "no proxy confirms it"}.`;
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
