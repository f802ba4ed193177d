const wholes = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });
const tenths = new Intl.NumberFormat("en-US", { maximumFractionDigits: 1 });
const twoDigits = new Intl.NumberFormat("en-US", {
  maximumSignificantDigits: 2,
});

/** Shown for an unknown figure. */
export const UNKNOWN = "–";

type Figure = number | null | undefined;

function show(figure: Figure, format: (figure: number) => string): string {
  return figure === null || figure === undefined ? UNKNOWN : format(figure);
}

/** `1,012`; below ten with decimals: `4.1`, `0.42`. */
export function formatNumber(value: number): string {
  const size = Math.abs(value);
  if (size < 1) return twoDigits.format(value);
  return (size < 9.95 ? tenths : wholes).format(value);
}

/** `1,012` */
export function formatCount(count: number): string {
  return wholes.format(count);
}

const MS_OF_UNIT = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** `500ms`, `1.5s`, `2m`, `1h` or `7d` in ms; undefined for other texts. */
export function parseDuration(text: string): number | undefined {
  const [, count, unit] =
    /^(\d{1,6}(?:\.\d{1,3})?)(ms|[smhd])$/.exec(text) ?? [];
  const unitMs = MS_OF_UNIT[unit as keyof typeof MS_OF_UNIT];
  return count === undefined ? undefined : Number(count) * unitMs;
}

/** `0.4 ms`, `1,012 ms`; from ten seconds `12 s`, from two minutes `10 min`. */
export function formatMs(ms: Figure): string {
  return show(ms, (known) => {
    if (known < 10_000) return `${formatNumber(known)} ms`;
    if (known < 120_000) return `${tenths.format(known / 1000)} s`;
    return `${tenths.format(known / 60_000)} min`;
  });
}

/** `1,021 ms > 500 ms`: always in milliseconds, and exact enough to distinguish the two. */
export function compareMs(ms: number, limitMs: number): string {
  const isAbove = ms > limitMs;
  const looksEqual = isAbove && Math.round(ms) === limitMs;
  const shown = looksEqual ? String(ms) : formatNumber(ms);
  return `${shown} ms ${isAbove ? ">" : "≤"} ${formatNumber(limitMs)} ms`;
}

/** Of 1: `0.4 %`, `25 %` */
export function formatRatio(ratio: Figure): string {
  return show(ratio, (known) => `${formatNumber(known * 100)} %`);
}

/** Of 100, exact to two decimals: `7.5 %` */
export function formatPercent(percent: number): string {
  return `${Number(percent.toFixed(2))} %`;
}

/** `12/s` */
export function formatRate(perSecond: Figure): string {
  return show(perSecond, (known) => `${formatNumber(known)}/s`);
}

/** `61 MB`, `12 GB` */
export function formatBytes(bytes: Figure): string {
  return show(bytes, (known) =>
    known >= 1e10
      ? `${formatNumber(known / 1e9)} GB`
      : `${formatNumber(known / 1e6)} MB`,
  );
}

/** `p95`, `p99.9` */
export function formatQuantile(quantile: number): string {
  return `p${Number((quantile * 100).toFixed(2))}`;
}

/** Evidence as odds: `132 : 1`, `1 : 8.1`. */
export function formatOdds(evidence: number): string {
  const odds = Math.exp(Math.min(Math.abs(evidence), Math.log(1e9)));
  const text = (odds < 10 ? tenths : wholes).format(odds);
  return evidence >= 0 ? `${text} : 1` : `1 : ${text}`;
}

/** A figure of an event's data: the unit is the name's last word, as in `p95Ms`, `rssBytes`, `cpuRatio`. */
export function formatFigure(name: string, value: number): string {
  if (name.endsWith("Ms")) return formatMs(value);
  if (name.endsWith("Bytes")) return formatBytes(value);
  if (name.endsWith("Ratio")) return formatRatio(value);
  if (name.startsWith("evidence")) return formatOdds(value);
  return name === "quantile" ? String(value) : formatNumber(value);
}

/** `latencyMs` → `latency`, `nextTryAt` → `next try at` */
export function nameFigure(name: string): string {
  return name
    .replace(/(?<=.)(Ms|Bytes|Ratio)$/, "")
    .replace(/(?<=[a-z\d])(?=[A-Z])/g, " ")
    .toLowerCase();
}

/**
 * `14:03:07 UTC`, preceded by the date on another day than `now`. All that people read has this zone, so that a mail, the page and
 * a terminal name a moment alike.
 */
export function formatClock(at: Date, now: number): string {
  const today = formatUtc(new Date(now)).slice(0, "2026-03-01 ".length);
  const text = formatUtc(at);
  return text.startsWith(today) ? text.slice(today.length) : text;
}

/** `2026-03-01 12:00:00 UTC` */
export function formatUtc(at: Date): string {
  if (Number.isNaN(at.getTime())) return UNKNOWN;
  return `${at.toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

/** `0:42`, `12:05`, `1:00:00` */
export function formatCountdown(ms: number): string {
  const seconds = Math.ceil(ms / 1000);
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor(seconds / 60) % 60;
  return hours > 0
    ? `${hours}:${two(minutes)}:${two(seconds % 60)}`
    : `${minutes}:${two(seconds % 60)}`;
}

/** `42 s`, `12 min`, `3 h 5 min`, `2 d 4 h`; never negative. */
export function formatSpan(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours} h ${minutes % 60} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** `a second try` of the same version of the canary; `another version` for the first. */
export function describeTry(attempt: number): string {
  if (attempt <= 1) return "another version";
  const ordinals = ["second", "third", "fourth", "fifth"];
  return `a ${ordinals[attempt - 2] ?? `${attempt}th`} try`;
}

/** `12 min ago` */
export function formatAge(at: string, now: number): string {
  return `${formatSpan(now - Date.parse(at))} ago`;
}

function two(part: number): string {
  return String(part).padStart(2, "0");
}
