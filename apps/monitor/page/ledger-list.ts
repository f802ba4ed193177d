import { formatClock } from "../../../lib/wording/units.js";
import {
  EVENT_KINDS,
  type EventKind,
  type LedgerEvent,
} from "../../../lib/flag/ledger-event.js";
import { compareIds } from "../../../lib/redis/stream-entry.js";
import { listFigures, type Figure } from "../../../lib/wording/figures.js";
import { byId, element, setText } from "./element.js";

const MAX_SHOWN = 200;
const FETCHED = 100;

/** The ledger, newest first, optionally of one kind. New events are inserted at the top; open details stay open. */
export class LedgerList {
  readonly #list = byId("ledger");
  readonly #blank = byId("ledger-blank");
  readonly #kind = byId("ledger-kind", HTMLSelectElement);
  readonly #now: () => number;
  readonly #shown = new Set<string>();
  /** Counts requests, to drop late responses to earlier ones. */
  #asked = 0;

  constructor(now: () => number) {
    this.#now = now;
    this.#kind.append(element("option", { value: "" }, "everything"));
    for (const kind of EVENT_KINDS)
      this.#kind.append(element("option", { value: kind }, NAMES[kind]));
    this.#kind.addEventListener("change", () => {
      this.#clear();
      this.#say("Reading the ledger …");
      void this.fetch();
    });
  }

  /** @returns whether the ledger could be read */
  async fetch(): Promise<boolean> {
    const asked = ++this.#asked;
    const kind = this.#kind.value === "" ? "" : `&kind=${this.#kind.value}`;
    try {
      const answer = await fetch(`api/events?limit=${FETCHED}${kind}`);
      if (!answer.ok) throw new Error(`status ${answer.status}`);
      const events = (await answer.json()) as LedgerEvent[];
      if (asked === this.#asked) this.#addAll(events);
      return true;
    } catch {
      if (asked === this.#asked && this.#shown.size === 0)
        this.#say("Cannot read the ledger. Retrying …");
      return false;
    }
  }

  add(event: LedgerEvent): void {
    if (this.#kind.value !== "" && this.#kind.value !== event.kind) return;
    this.#addAll([event]);
  }

  #addAll(events: LedgerEvent[]): void {
    for (const event of events) {
      if (this.#shown.has(event.id)) continue;
      this.#shown.add(event.id);
      this.#list.insertBefore(
        createEntry(event, this.#now()),
        this.#firstBefore(event.id),
      );
    }
    while (this.#list.childElementCount > MAX_SHOWN) {
      const oldest = this.#list.lastElementChild as HTMLElement;
      this.#shown.delete(oldest.dataset.id ?? "");
      oldest.remove();
    }
    this.#say(this.#shown.size > 0 ? "" : "No events of this kind.");
  }

  /** The first older entry. After an interruption, missed events arrive later than newer ones. */
  #firstBefore(id: string): Element | null {
    return (
      [...this.#list.children].find(
        (entry) => compareIds((entry as HTMLElement).dataset.id ?? "", id) < 0,
      ) ?? null
    );
  }

  #clear(): void {
    this.#shown.clear();
    this.#list.replaceChildren();
  }

  #say(blank: string): void {
    setText(this.#blank, blank);
    this.#blank.hidden = blank === "";
  }
}

/** In the entry's head. */
const SHOWN_ELSEWHERE = new Set(["flag", "value"]);

const NAMES: Record<EventKind, string> = {
  flip: "flips",
  breach: "breaches",
  recovery: "recoveries",
  alert: "alerts",
  silence: "silences",
  deploy: "deploys",
  start: "starts",
  stop: "stops",
  rollout: "rollouts",
};

function createEntry(event: LedgerEvent, now: number): HTMLLIElement {
  const { kind, by, reason, at, data } = event;
  const isFlip = kind === "flip";
  const look = isFlip ? (data.value === true ? "on" : "off") : kind;
  const name = isFlip ? `flip ${look}` : kind;
  const head = [
    element(
      "time",
      { datetime: at, title: at },
      formatClock(new Date(at), now),
    ),
    element("span", { class: "kind", "data-kind": look }, name),
    element("span", { class: "by" }, by),
  ];
  const figures = listFigures(data, SHOWN_ELSEWHERE);
  const entry = element(
    "li",
    { class: "event", "data-id": event.id },
    element("p", { class: "event-head" }, ...head),
    element("p", { class: "event-reason" }, reason),
  );
  entry.append(createFigures(event.id, figures));
  return entry;
}

function createFigures(id: string, figures: Figure[]): HTMLDetailsElement {
  const list = element("dl");
  for (const { label, value } of figures)
    list.append(element("dt", {}, label), element("dd", {}, value));
  const link = element(
    "a",
    { class: "event-link", href: `events/${id}` },
    "that moment",
  );
  const summary = element("summary", {}, "figures");
  return element("details", {}, summary, list, link);
}
