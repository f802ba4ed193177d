import {
  describeHeadline,
  type Tone,
  describeHeld,
  listMissing,
} from "../../../lib/wording/headline.js";
import { formatClock } from "../../../lib/wording/units.js";
import type { StateMessage } from "../messages/page-messages.js";
import { byId, setText } from "./element.js";
import type { Freshness } from "./freshness.js";

/** Each has an icon of its own shape, for people who cannot distinguish the colours. */
type Look = Tone | "loading" | "old";

const TITLES: Record<Exclude<Look, "loading">, string> = {
  good: "● Canary in",
  stopped: "■ Canary stopped",
  warning: "▲ Check the canary",
  old: "? Data is old",
};

/** The headline with its details. */
export class HeadlineView {
  readonly #section = byId("headline");
  readonly #text = byId("headline-text");
  readonly #detail = byId("headline-detail");
  readonly #news = byId("headline-news");
  readonly #shape = byId("headline-shape", HTMLImageElement);
  readonly #icon = byId("icon", HTMLLinkElement);
  #look: Look | undefined;
  #title = "";

  show(
    message: StateMessage | undefined,
    freshness: Freshness,
    now: number,
  ): void {
    const isOld = freshness.level === "old";
    if (message === undefined || freshness.level === "loading") {
      this.#dress(isOld ? "old" : "loading", "Serin");
      setText(this.#text, freshness.text);
      setText(
        this.#detail,
        isOld
          ? `${freshness.advice ?? ""} Retrying every second.`.trim()
          : "\u00a0",
      );
      return;
    }
    const { tone, text } = describeHeadline(
      message.state,
      isOld ? message.now : now,
    );
    this.#dress(isOld ? "old" : tone, message.system);
    setText(this.#text, bindWords(isOld ? freshness.text : text));
    setText(
      this.#detail,
      isOld
        ? `${freshness.advice ?? ""} Last known state, at ${formatClock(new Date(message.now), now)}: ${text}`.trim()
        : describeWatch(message),
    );
  }

  /** @param system tells the tabs of several systems apart */
  #dress(look: Look, system: string): void {
    const title = look === "loading" ? system : `${TITLES[look]} · ${system}`;
    if (title !== this.#title) document.title = this.#title = title;
    if (look === this.#look) return;
    this.#look = look;
    this.#section.dataset.tone = look;
    this.#shape.src = this.#icon.href = `icon-${look}.svg`;
    // Screen readers announce only changes, not each second of the countdown.
    if (look !== "loading") setText(this.#news, TITLES[look].slice(2));
  }
}

/** Prevents line breaks between a value and its unit, and before a separator. */
function bindWords(text: string): string {
  return text
    .replace(/(\d) (ms|s|min|h|d|%)(?=\W|$)/g, "$1\u00a0$2")
    .replaceAll(" · ", "\u00a0· ");
}

/** The leading monitor, and other facts for operators. */
function describeWatch({ monitor, state }: StateMessage): string {
  const { lease, proxies, outbox } = state;
  const parts = [
    ...listMissing(state).map(capitalize),
    lease === null
      ? "No monitor leads: the canary is not watched"
      : `Watched by ${lease.holder.replace(/#.*$/, "")}`,
  ];
  if (!monitor.leads && lease !== null)
    parts.push(`this page is served by ${monitor.id}, on standby`);
  parts.push(count(proxies.length, "proxy", "proxies"));
  if (outbox.pending > 0)
    parts.push(`${count(outbox.pending, "mail", "mails")} queued`);
  parts.push(...outbox.held.map(describeHeld));
  return parts.join(" · ");
}

function capitalize(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function count(number: number, one: string, many: string): string {
  return `${number} ${number === 1 ? one : many}`;
}
