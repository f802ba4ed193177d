import type { Bar } from "./bars.js";
import type { Figure } from "../../../../lib/wording/figures.js";
import {
  titleCommands,
  type Action,
  type Answer,
  type Notice,
} from "./notice.js";

const TONE_COLORS: Record<Notice["tone"], string> = {
  good: "#1a7f37",
  bad: "#cf222e",
  warning: "#9a6700",
};
const BAR_COLORS: Record<Bar["role"], string> = {
  over: "#cf222e",
  subject: "#0969da",
  baseline: "#59636e",
  limit: "#bf8700",
};

/** Mail readers without style sheets show the inline styles. */
const DARK = `@media (prefers-color-scheme: dark) {
body,.page{color:#f0f6fc!important;background:#0d1117!important}
.good{color:#3fb950!important}
.bad{color:#ff7b72!important}
.warning{color:#d29922!important}
.edge-good{background:#3fb950!important}
.edge-bad{background:#ff7b72!important}
.edge-warning{background:#d29922!important}
.body,.link{color:#f0f6fc!important}
.faint{color:#9198a1!important}
.quiet{color:#f0f6fc!important;background:#212830!important}
.code{color:#f0f6fc!important;background:#151b23!important}
.over{background:#ff7b72!important}
.subject{background:#4493f8!important}
.baseline{background:#9198a1!important}
.limit{background:#d29922!important}
}`;

const TABLE =
  'table role="presentation" cellpadding="0" cellspacing="0" border="0"';

/**
 * A notice as a mail's HTML. Outlook for Windows, whose engine is Word's, gives width, height, background and padding to table
 * cells only, so all drawings are cells. Styles are inline, because many mail readers drop style sheets.
 */
export function renderHtml(notice: Notice): string {
  const { tone, title, happened, bars, answers, facts } = notice;
  return `${renderHead(title, DARK)}
<body style="margin:0;background:#ffffff">
<!--[if mso]><table role="presentation" align="center" width="600"><tr><td><![endif]-->
<${TABLE} class="page" align="center" width="100%" style="max-width:600px;background:#ffffff">
<tr><td class="edge-${tone}" width="4" bgcolor="${TONE_COLORS[tone]}" style="font-size:1px">&nbsp;</td>
<td class="body" style="padding:12px 16px;font:16px/1.5 sans-serif;color:#1f2328;word-break:break-word;overflow-wrap:anywhere">
<h1 class="${tone}" style="margin:0 0 12px;font-size:20px;line-height:1.3;color:${TONE_COLORS[tone]}">${escapeHtml(title)}</h1>
${happened.length === 0 ? "" : renderSentences(happened)}
${bars.length === 0 ? "" : renderBars(bars)}
${answers.map(renderAnswer).join("\n")}
${notice.actions.map(renderAction).join("\n")}
${notice.commands.length === 0 ? "" : renderCommands(notice.commands)}
<${TABLE} style="font-size:14px">
${facts.map(renderFact).join("\n")}
</table>
${notice.details.map(renderDetail).join("\n")}
</td></tr>
</table>
<!--[if mso]></td></tr></table><![endif]-->
</body>
</html>
`;
}

function renderSentences(sentences: readonly string[]): string {
  const lines = sentences.map(escapeHtml).join("<br>\n");
  return `<p style="margin:0 0 12px">${lines}</p>`;
}

function renderBars(bars: readonly Bar[]): string {
  return `<${TABLE} width="100%" style="margin:0 0 12px;font-size:14px">
${bars.map(renderBar).join("\n")}
</table>`;
}

function renderBar({ label, value, ratio, role }: Bar): string {
  const percent = Math.max(1, Math.round(ratio * 100));
  const rest =
    percent === 100 ? "" : `<td width="${100 - percent}%">&nbsp;</td>`;
  return `<tr><td class="faint" nowrap style="padding:3px 8px 3px 0;white-space:nowrap;color:#59636e">${escapeHtml(label)}</td>
<td width="100%"><${TABLE} width="100%" style="font-size:1px;line-height:14px"><tr><td class="${role}" width="${percent}%" height="14" bgcolor="${BAR_COLORS[role]}">&nbsp;</td>${rest}</tr></table></td>
<td align="right" nowrap style="padding:3px 0 3px 8px;white-space:nowrap">${escapeHtml(value)}</td></tr>`;
}

function renderAnswer({ label, value, url }: Answer): string {
  const link =
    url === undefined
      ? ""
      : `<br><a class="link" href="${escapeHtml(url)}" style="color:#0969da">See the change</a>`;
  return `<p style="margin:0 0 12px"><strong>${escapeHtml(label)}:</strong> ${escapeHtml(value)}${link}</p>`;
}

/** The first one is the one to choose in doubt. */
function renderAction({ label, url }: Action, index: number): string {
  const [look, background, color] =
    index === 0 ? ["", "#0969da", "#ffffff"] : ["quiet", "#eaeef2", "#1f2328"];
  return `<${TABLE} style="margin:0 0 8px"><tr><td class="${look}" bgcolor="${background}" style="padding:10px 16px;border-radius:6px"><a class="${look}" href="${escapeHtml(url)}" style="font-weight:bold;text-decoration:none;color:${color}">${escapeHtml(label)}</a></td></tr></table>`;
}

function renderCommands(commands: readonly string[]): string {
  const lines = commands.map(escapeHtml).join("<br>");
  return `<p style="margin:16px 0 4px">${titleCommands(commands)}</p>
<${TABLE} width="100%" style="margin:0 0 16px"><tr><td class="code" bgcolor="#f6f8fa" style="padding:8px;font:13px/1.5 monospace">${lines}</td></tr></table>`;
}

function renderDetail({ title, rows }: Notice["details"][number]): string {
  return `<h2 style="margin:20px 0 4px;font-size:16px">${escapeHtml(title)}</h2>
<${TABLE} style="font-size:14px">
${rows.map(renderFact).join("\n")}
</table>`;
}

function renderFact({ label, value }: Figure): string {
  return `<tr><td class="faint" valign="top" style="padding:2px 12px 2px 0;color:#59636e">${escapeHtml(label)}</td><td style="padding:2px 0">${escapeHtml(value)}</td></tr>`;
}

/** An HTML document as far as its body. */
export function renderHead(title: string, style: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeHtml(title)}</title>
<style>
${style}
</style>
</head>`;
}

export function escapeHtml(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&#39;");
}
