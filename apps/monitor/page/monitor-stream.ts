import type { LedgerEvent } from "../../../lib/ledger-event.js";
import type { HistoryPoint } from "../history-report.js";
import type { StateMessage, TroubleMessage } from "../page-messages.js";

/** A connection that says nothing for so long is given up: it may be dead without anybody having been told. */
const SILENCE_MS = 8000;
const RETRY_MS = 1000;

export interface StreamListener {
  onState: (message: StateMessage) => void;
  onPoints: (points: HistoryPoint[]) => void;
  onLedger: (event: LedgerEvent) => void;
  /** There is a history to be fetched, another than what is known. */
  onHistory: () => void;
  onTrouble: (trouble: TroubleMessage) => void;
}

/** What the monitor sends; connects anew for as long as the page is open. */
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
  }

  /** A browser connects anew by itself after a cut, but not after a refusal. */
  #check(): void {
    const isRefused = this.#source?.readyState === EventSource.CLOSED;
    if (isRefused || performance.now() - this.#heardAt > SILENCE_MS)
      this.#connect();
  }

  #connect(): void {
    this.#source?.close();
    this.#heardAt = performance.now();
    const source = (this.#source = new EventSource("/api/stream"));
    const on = (name: string, handle: (data: never) => void) =>
      source.addEventListener(name, ({ data }: MessageEvent<string>) => {
        this.#heardAt = performance.now();
        handle(JSON.parse(data) as never);
      });
    const { onState, onPoints, onLedger, onHistory, onTrouble } =
      this.#listener;
    on("state", onState);
    on("points", onPoints);
    on("ledger", onLedger);
    on("history", onHistory);
    on("trouble", onTrouble);
  }
}
