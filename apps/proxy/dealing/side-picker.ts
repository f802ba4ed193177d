import type { IncomingHttpHeaders } from "node:http";
import type { Side } from "../../../lib/telemetry/telemetry.js";
import type { Dealer, Deck } from "./deck.js";
import type { OptIn } from "./opt-in.js";
import type { StickyClients } from "./sticky-clients.js";
import type { Weight } from "./weight.js";

/** A request's side, and what the telemetry needs to know of how it was picked. */
export interface Picked {
  side: Side;
  /**
   * `closed`: prod has it, because the canary was closed or its weight was being read. `asked`: the request asked for the canary. `kept`: its client was dealt to the
   * side before.
   */
  by: "closed" | "asked" | "kept" | "dealt";
  /** Its deck if that is recorded. */
  deck?: Deck | undefined;
  /** That it was dealt by. */
  weight?: Weight;
  /** A `set-cookie` for the client. */
  setCookie?: string | undefined;
}

const CLOSED: Picked = { side: "prod", by: "closed" };
const ASKED: Picked = { side: "canary", by: "asked" };

interface PickerOptions {
  /** @param now monotonic ms */
  isOpen: (now: number) => boolean;
  /** Whether the weight is known. */
  isDealing: () => boolean;
  /** See Deck. */
  readEra: () => number;
  dealer: Dealer;
  optIn: OptIn | undefined;
  sticky: StickyClients | undefined;
}

/** Picks the side of each request. While the canary is closed, whatever a request asks for or its cookie says, prod gets it. */
export class SidePicker {
  readonly #options: PickerOptions;

  constructor(options: PickerOptions) {
    this.#options = options;
  }

  /** @param now monotonic ms, here and below */
  pick(headers: IncomingHttpHeaders, now: number): Picked {
    const { isOpen, isDealing, optIn, sticky } = this.#options;
    if (!isOpen(now)) return CLOSED;
    if (optIn?.isIn(headers) === true) return ASKED;
    return (
      sticky?.keep(headers.cookie) ?? (isDealing() ? this.#deal(now) : CLOSED)
    );
  }

  #deal(now: number): Picked {
    const { readEra, dealer, sticky } = this.#options;
    const dealt = dealer.deal(readEra(), now);
    return sticky?.admit(dealt) ?? dealt;
  }

  /** Whether clients of both sides are served. */
  areBothOut(now: number): boolean {
    const { isOpen, dealer } = this.#options;
    return isOpen(now) && dealer.hasBothSides;
  }
}
