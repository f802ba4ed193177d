import type { ServerResponse } from "node:http";
import type { LedgerEvent } from "../../../lib/flag/ledger-event.js";
import type { HistoryPoint } from "../messages/history-report.js";
import { HttpError } from "./access.js";
import type { PageEvents, StateMessage } from "../messages/page-messages.js";

const TICK_MS = 1000;
const MAX_STREAMS = 100;
/** About a minute of messages: a page that is further behind is gone or too slow. */
const MAX_BUFFERED_BYTES = 262_144;
/** How soon a browser reconnects. */
const RETRY_MS = 1000;

const HEADERS = {
  "content-type": "text/event-stream; charset=utf-8",
  "cache-control": "no-store",
  "x-accel-buffering": "no",
};

export interface PageSource {
  /** Throws when Redis is away. */
  readState: () => Promise<StateMessage>;
  newestPoints: () => HistoryPoint[];
}

/**
 * Server-sent events for open dashboards. The state is read once a second for all of them, and not at all while there is
 * none. While Redis is away, an outage is sent each second. A page that reads too slowly is disconnected, and reconnects.
 */
export class PageStream {
  readonly #source: PageSource;
  readonly #repeat: typeof repeatEach;
  /** Their addresses, oldest first. */
  readonly #pages = new Map<ServerResponse, string | undefined>();
  #stopTicking: (() => void) | undefined;
  #reading: Promise<void> | undefined;
  #isNudged = false;
  #isWhole = false;
  #isClosed = false;

  constructor(source: PageSource, repeat = repeatEach) {
    this.#source = source;
    this.#repeat = repeat;
  }

  /** @throws HttpError when this monitor is stopping */
  open(response: ServerResponse): void {
    if (this.#isClosed) throw new HttpError(503, "this monitor is stopping");
    if (this.#pages.size >= MAX_STREAMS) this.#evict();
    response.writeHead(200, HEADERS);
    response.write(`retry: ${RETRY_MS}\n\n`);
    this.#pages.set(response, response.socket?.remoteAddress);
    response.once("close", () => this.#forget(response));
    if (this.#isWhole) response.write(format("history", {}));
    this.#stopTicking ??= this.#repeat(TICK_MS, () => this.nudge());
    this.nudge();
  }

  tell(event: LedgerEvent): void {
    this.#broadcast(format("ledger", event));
    this.nudge();
  }

  /** Makes pages fetch the history when it becomes whole: at the start, or after a gap. */
  setWhole(isWhole: boolean): void {
    if (isWhole && !this.#isWhole) this.#broadcast(format("history", {}));
    this.#isWhole = isWhole;
  }

  /** Sends the state now, or once more after the present read. */
  nudge(): void {
    if (this.#pages.size === 0) return;
    if (this.#reading !== undefined) {
      this.#isNudged = true;
      return;
    }
    this.#reading = this.#tellState().finally(() => {
      this.#reading = undefined;
      if (!this.#isNudged) return;
      this.#isNudged = false;
      this.nudge();
    });
  }

  /** Ends all streams, which would delay the server's stop. */
  close(): void {
    this.#isClosed = true;
    for (const page of this.#pages.keys()) {
      // A slow one ends later, and must not be written to any more.
      this.#forget(page);
      page.end();
    }
  }

  async #tellState(): Promise<void> {
    try {
      const state = await this.#source.readState();
      this.#broadcast(
        format("state", state) + format("points", this.#source.newestPoints()),
      );
    } catch {
      const reason = "the monitor cannot reach Redis";
      this.#broadcast(format("outage", { reason }));
    }
  }

  #broadcast(text: string): void {
    for (const page of this.#pages.keys()) {
      page.write(text);
      if (page.writableLength > MAX_BUFFERED_BYTES) page.destroy();
    }
  }

  /** Ends the oldest stream of the address that has most. Otherwise one address could keep out all dashboards. */
  #evict(): void {
    const counts = new Map<string | undefined, number>();
    for (const address of this.#pages.values())
      counts.set(address, (counts.get(address) ?? 0) + 1);
    const most = Math.max(...counts.values());
    for (const [page, address] of this.#pages) {
      if (counts.get(address) !== most) continue;
      this.#forget(page);
      page.destroy();
      return;
    }
  }

  #forget(page: ServerResponse): void {
    this.#pages.delete(page);
    if (this.#pages.size > 0) return;
    this.#stopTicking?.();
    this.#stopTicking = undefined;
  }
}

/** @returns a function that stops it */
function repeatEach(intervalMs: number, tick: () => void): () => void {
  const timer = setInterval(tick, intervalMs);
  return () => clearInterval(timer);
}

function format<Name extends keyof PageEvents>(
  event: Name,
  data: PageEvents[Name],
): string {
  return `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}
