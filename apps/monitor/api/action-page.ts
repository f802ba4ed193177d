import { escapeHtml, renderHead } from "../alert/message/render-html.js";

/** A page that a link in a message opens. */
export interface ActionPage {
  /** 200 if absent. */
  status?: number;
  title: string;
  sentences: readonly string[];
  /** Does what the page's title asks; it sends the form to the page's own address. */
  button?: string;
}

const STYLE = `:root{color-scheme:light dark}
body{max-width:36rem;margin:0 auto;padding:24px 16px;font:18px/1.5 sans-serif}
h1{font-size:24px;line-height:1.3}
p{overflow-wrap:anywhere}
button{padding:12px 20px;border:0;border-radius:6px;font:inherit;font-weight:bold;color:#fff;background:#0969da}
button:focus-visible{outline:3px solid currentColor;outline-offset:3px}`;

export function renderActionPage(
  { title, sentences, button }: ActionPage,
  { system, dashboardUrl }: { system: string; dashboardUrl: string },
): string {
  const paragraphs = sentences.map((text) => `<p>${escapeHtml(text)}</p>`);
  const form =
    button === undefined
      ? ""
      : `<form method="post"><button>${escapeHtml(button)}</button></form>`;
  return `${renderHead(`${title} · ${system}`, STYLE)}
<body>
<main>
<p>${escapeHtml(system)}</p>
<h1>${escapeHtml(title)}</h1>
${paragraphs.join("\n")}
${form}
<p><a href="${escapeHtml(dashboardUrl)}">Open the dashboard</a></p>
</main>
</body>
</html>
`;
}
