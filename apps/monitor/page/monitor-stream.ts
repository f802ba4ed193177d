import type { PageEvents } from "../messages/page-messages.js";

/** A connection without messages for this long is closed: it may be dead without an error. */
const SILENCE_MS = 8000;
const RETRY_MS = 1000;
/** How often a hidden page reads the state, for its title and icon. */
const GLANCE_MS = 5000;
/** A poll needs only one of them. */
const ANSWERS: ReadonlySet<string> = new Set(["state", "outage"]);

type Listeners = {
  readonly [Name in keyof PageEvents]: (data: PageEvents[Name]) => void;
};

/**
 * Receives the monitor's messages, and reconnects while the page is open. A browser allows six connections to an origin for
 * all tabs together. Therefore a hidden page closes its stream and polls the state.
 */
export class MonitorStream {
  readonly #listeners: Listeners;
  #source: EventSource | undefined;
  #heardAt = 0;

  constructor(listeners: Listeners) {
    this.#listeners = listeners;
  }

  start(): void {
    this.#connect();
    setInterval(() => this.#check(), RETRY_MS);
    document.addEventListener("visibilitychange", () => {
      if (document.hidden) this.#source?.close();
      else this.#connect();
    });
  }

  /** A browser reconnects after an interruption, but not after an error response. */
  #check(): void {
    const isRefused =
      !document.hidden && this.#source?.readyState === EventSource.CLOSED;
    const longestMs = document.hidden ? GLANCE_MS : SILENCE_MS;
    if (isRefused || performance.now() - this.#heardAt > longestMs)
      this.#connect();
  }

  #connect(): void {
    this.#source?.close();
    this.#heardAt = performance.now();
    const source = (this.#source = new EventSource("api/stream"));
    for (const [name, handle] of Object.entries(this.#listeners))
      source.addEventListener(name, ({ data }: MessageEvent<string>) => {
        this.#heardAt = performance.now();
        if (document.hidden && ANSWERS.has(name)) source.close();
        // When the page becomes visible, the new stream requests the missed history again.
        if (!(document.hidden && name === "history"))
          handle(JSON.parse(data) as never);
      });
  }
}
