import type { Notice } from "./notice.js";

export function renderText(notice: Notice): string {
  const { title, happened, next, remedy, facts } = notice;
  const labelWidth = Math.max(...facts.map(({ label }) => label.length)) + 2;
  const paragraphs = [
    title,
    happened,
    next,
    ...(remedy === undefined
      ? []
      : [`${remedy.purpose}, either of:\n${lines(remedy.commands)}`]),
    lines(
      facts.map(({ label, value }) => `${label.padEnd(labelWidth)}${value}`),
    ),
  ];
  return `${paragraphs.join("\n\n")}\n`;
}

function lines(items: readonly string[]): string {
  return items.map((item) => `  ${item}`).join("\n");
}
