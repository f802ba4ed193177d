import type { Bar } from "./bars.js";
import type { Figure } from "./figures.js";
import type { Notice } from "./notice.js";
import type { Remedy } from "./remedy.js";

const TONE_COLORS: Record<Notice["tone"], string> = {
  good: "#1a7f37",
  bad: "#cf222e",
  warning: "#9a6700",
};
const BAR_COLORS: Record<Bar["role"], string> = {
  subject: "#0969da",
  baseline: "#59636e",
  limit: "#bf8700",
};

/** Mail readers without style sheets show the inline styles. */
const DARK = `@media (prefers-color-scheme: dark) {
body{color:#f0f6fc!important;background:#0d1117!important}
.good{color:#3fb950!important;border-color:#3fb950!important}
.bad{color:#ff7b72!important;border-color:#ff7b72!important}
.warning{color:#d29922!important;border-color:#d29922!important}
.body{color:#f0f6fc!important}
.faint{color:#9198a1!important}
.code{color:#f0f6fc!important;background:#151b23!important}
.button{color:#ffffff!important;background:#1f6feb!important}
.subject{background:#4493f8!important}
.baseline{background:#9198a1!important}
.limit{background:#d29922!important}
}`;

/** Inline styles, because many mail readers drop style sheets; one column, for phones. */
export function renderHtml(notice: Notice): string {
  const { tone, title, happened, bars, next, remedy, facts } = notice;
  const color = TONE_COLORS[tone];
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeHtml(title)}</title>
<style>
${DARK}
</style>
</head>
<body style="margin:0;padding:16px;font:16px/1.5 sans-serif;color:#1f2328;background:#ffffff">
<div class="${tone}" style="max-width:600px;margin:0 auto;padding-left:12px;border-left:4px solid ${color};overflow-wrap:anywhere">
<h1 class="${tone}" style="margin:0 0 12px;font-size:20px;line-height:1.3;color:${color}">${escapeHtml(title)}</h1>
<div class="body" style="color:#1f2328">
${happened === undefined ? "" : renderParagraph(happened)}
${bars.length === 0 ? "" : renderBars(bars)}
${renderParagraph(next)}
${renderButton(notice.dashboardUrl)}
${remedy === undefined ? "" : renderRemedy(remedy)}
<table style="margin-top:12px;border-collapse:collapse;font-size:14px">
${facts.map(renderFact).join("\n")}
</table>
</div>
</div>
</body>
</html>
`;
}

function renderParagraph(text: string): string {
  return `<p style="margin:0 0 12px">${escapeHtml(text)}</p>`;
}

/** Every mail reader shows backgrounds of table cells, even if it blocks images. */
function renderBars(bars: readonly Bar[]): string {
  return `<table role="presentation" style="width:100%;margin:0 0 12px;border-collapse:collapse;font-size:14px">
${bars.map(renderBar).join("\n")}
</table>`;
}

function renderBar({ label, value, ratio, role }: Bar): string {
  const percent = Math.max(1, Math.round(ratio * 100));
  return `<tr><td class="faint" style="padding:3px 8px 3px 0;white-space:nowrap;width:1%;color:#59636e">${escapeHtml(label)}</td><td style="padding:3px 0"><div class="${role}" style="width:${percent}%;height:14px;background:${BAR_COLORS[role]}"></div></td><td style="padding:3px 0 3px 8px;white-space:nowrap;width:1%;text-align:right">${escapeHtml(value)}</td></tr>`;
}

function renderButton(url: string): string {
  return `<p style="margin:16px 0"><a class="button" href="${escapeHtml(url)}" style="display:inline-block;padding:10px 16px;border-radius:6px;font-weight:bold;text-decoration:none;color:#ffffff;background:#0969da">Open the dashboard</a></p>`;
}

function renderRemedy(remedy: Remedy): string {
  const commands = remedy.commands.map(renderCommand).join("\n");
  return `<p style="margin:0 0 4px">${escapeHtml(remedy.purpose)}, either of:</p>\n${commands}`;
}

function renderCommand(command: string): string {
  return `<pre class="code" style="margin:0 0 8px;padding:8px;background:#f6f8fa;font-size:13px;white-space:pre-wrap;overflow-wrap:anywhere">${escapeHtml(command)}</pre>`;
}

function renderFact({ label, value }: Figure): string {
  return `<tr><th class="faint" style="padding:2px 12px 2px 0;text-align:left;vertical-align:top;font-weight:normal;color:#59636e">${escapeHtml(label)}</th><td style="padding:2px 0">${escapeHtml(value)}</td></tr>`;
}

function escapeHtml(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&#39;");
}
