import type { LedgerEvent } from "../../../lib/flag/ledger-event.js";
import type { HistoryPoint } from "../messages/history-report.js";
import type {
  StateMessage,
  TroubleMessage,
} from "../messages/page-messages.js";

/** A connection that says nothing for so long is given up: it may be dead without anybody having been told. */
const SILENCE_MS = 8000;
const RETRY_MS = 1000;
/** How often a page that is not looked at asks for the state, for its title and icon. */
const GLANCE_MS = 5000;
/** One of them is what a glance is for. */
const ANSWERS: ReadonlySet<string> = new Set(["state", "trouble"]);

export interface StreamListener {
  onState: (message: StateMessage) => void;
  onPoints: (points: HistoryPoint[]) => void;
  onLedger: (event: LedgerEvent) => void;
  /** There is a history to be fetched, another than what is known. */
  onHistory: () => void;
  onTrouble: (trouble: TroubleMessage) => void;
}

/**
 * What the monitor sends; connects anew for as long as the page is open. A browser has six connections to an origin, for all
 * its tabs: a page that is hidden lets go of its own, and only glances at the state.
 */
export class MonitorStream {
  readonly #listener: StreamListener;
  #source: EventSource | undefined;
  #heardAt = 0;

  constructor(listener: StreamListener) {
    this.#listener = listener;
  }

  start(): void {
    this.#connect();
    setInterval(() => this.#check(), RETRY_MS);
    document.addEventListener("visibilitychange", () => {
      if (document.hidden) this.#source?.close();
      else this.#connect();
    });
  }

  /** A browser connects anew by itself after a cut, but not after a refusal. */
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
    const source = (this.#source = new EventSource("/api/stream"));
    const on = (name: string, handle: (data: never) => void) =>
      source.addEventListener(name, ({ data }: MessageEvent<string>) => {
        this.#heardAt = performance.now();
        if (document.hidden && ANSWERS.has(name)) source.close();
        handle(JSON.parse(data) as never);
      });
    const { onState, onPoints, onLedger, onHistory, onTrouble } =
      this.#listener;
    on("state", onState);
    on("points", onPoints);
    on("ledger", onLedger);
    // What was missed is fetched when somebody looks: the stream that opens then says so again.
    on("history", () => {
      if (!document.hidden) onHistory();
    });
    on("trouble", onTrouble);
  }
}
