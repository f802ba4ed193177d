import {
  describeHeadline,
  type Tone,
  describeHeld,
} from "../../../lib/wording/headline.js";
import { formatClock } from "../../../lib/wording/units.js";
import type { StateMessage } from "../messages/page-messages.js";
import { byId, setText } from "./element.js";
import type { Freshness } from "./freshness.js";

type Look = Tone | "loading" | "old";

/** Each tone has its own shape, for people who cannot distinguish the colours: circle, octagon, triangle, square. */
const SHAPES: Record<Look, { shape: string; sign: string }> = {
  good: { shape: circle(), sign: "M15 25l6.5 6.5L33.5 18" },
  stopped: {
    shape: "M16 5h16l11 11v16L32 43H16L5 32V16Z",
    sign: "M15 24h18",
  },
  warning: {
    shape: "M24 5 45 42H3Z",
    sign: "M24 18v12M24 35.5v.5",
  },
  old: {
    shape:
      "M9 5h30a4 4 0 0 1 4 4v30a4 4 0 0 1-4 4H9a4 4 0 0 1-4-4V9a4 4 0 0 1 4-4Z",
    sign: "M24 14v11l7 6",
  },
  loading: { shape: circle(), sign: "M14 24h.5M24 24h.5M34 24h.5" },
};
const TITLES: Record<Look, string> = {
  good: "● Canary in",
  stopped: "■ Canary stopped",
  warning: "▲ Check the canary",
  old: "? Data is old",
  loading: "Serin",
};

/** The headline with its details. */
export class HeadlineView {
  readonly #section = byId("headline");
  readonly #text = byId("headline-text");
  readonly #detail = byId("headline-detail");
  readonly #news = byId("headline-news");
  readonly #shape = byId("headline-shape", SVGPathElement);
  readonly #sign = byId("headline-sign", SVGPathElement);
  readonly #icon = byId("icon", HTMLLinkElement);
  #look: Look | undefined;

  show(
    message: StateMessage | undefined,
    freshness: Freshness,
    now: number,
  ): void {
    if (message === undefined || freshness.level === "loading") {
      this.#dress(freshness.level === "old" ? "old" : "loading");
      setText(this.#text, freshness.text);
      const retries = "Retrying every second.";
      setText(this.#detail, freshness.level === "old" ? retries : "\u00a0");
      return;
    }
    const isOld = freshness.level === "old";
    const { tone, text } = describeHeadline(
      message.state,
      isOld ? message.now : now,
    );
    this.#dress(isOld ? "old" : tone);
    setText(this.#text, bindWords(isOld ? freshness.text : text));
    setText(
      this.#detail,
      isOld
        ? `Last known state, at ${formatClock(new Date(message.now), now)}: ${text}`
        : describeWatch(message),
    );
  }

  #dress(look: Look): void {
    if (look === this.#look) return;
    this.#look = look;
    this.#section.dataset.tone = look;
    this.#shape.setAttribute("d", SHAPES[look].shape);
    this.#sign.setAttribute("d", SHAPES[look].sign);
    this.#icon.href = `/icon-${look}.svg`;
    document.title = look === "loading" ? "Serin" : `${TITLES[look]} · Serin`;
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

function count(number: number, one: string, many: string): string {
  return `${number} ${number === 1 ? one : many}`;
}

function circle(): string {
  return "M24 4a20 20 0 1 1 0 40a20 20 0 1 1 0-40Z";
}
