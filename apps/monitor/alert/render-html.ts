import type { Figure } from "./figures.js";
import type { Notice } from "./notice.js";
import type { Remedy } from "./remedy.js";

const TONE_COLORS: Record<Notice["tone"], string> = {
  good: "#1a7f37",
  bad: "#cf222e",
  warning: "#9a6700",
};

/** Styles are inline, because mail readers drop style sheets, and one column, because most read on a phone. */
export function renderHtml(notice: Notice): string {
  const { tone, title, happened, next, remedy, facts } = notice;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
</head>
<body style="margin:0;padding:16px;font:16px/1.5 sans-serif;color:#1f2328;background:#ffffff">
<div style="max-width:600px;margin:0 auto;padding-left:12px;border-left:4px solid ${TONE_COLORS[tone]};overflow-wrap:anywhere">
<h1 style="margin:0 0 12px;font-size:20px;line-height:1.3;color:${TONE_COLORS[tone]}">${escapeHtml(title)}</h1>
<p style="margin:0 0 12px">${escapeHtml(happened)}</p>
<p style="margin:0 0 12px">${escapeHtml(next)}</p>
${remedy === undefined ? "" : renderRemedy(remedy)}
<table style="margin-top:12px;border-collapse:collapse;font-size:14px">
${facts.map(renderFact).join("\n")}
</table>
</div>
</body>
</html>
`;
}

function renderRemedy(remedy: Remedy): string {
  const commands = remedy.commands.map(renderCommand).join("\n");
  return `<p style="margin:0 0 4px">${escapeHtml(remedy.purpose)}, either of:</p>\n${commands}`;
}

function renderCommand(command: string): string {
  return `<pre style="margin:0 0 8px;padding:8px;background:#f6f8fa;font-size:13px;white-space:pre-wrap;overflow-wrap:anywhere">${escapeHtml(command)}</pre>`;
}

function renderFact({ label, value }: Figure): string {
  return `<tr><th style="padding:2px 12px 2px 0;text-align:left;vertical-align:top;font-weight:normal;color:#59636e">${escapeHtml(label)}</th><td style="padding:2px 0">${escapeHtml(value)}</td></tr>`;
}

function escapeHtml(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&#39;");
}
