import type { Bar } from "./bars.js";
import { titleCommands, type Answer, type Notice } from "./notice.js";

/** Short enough for a phone. */
const BAR_CHARACTERS = 16;
/** One to eight eighths of a character, from the left. */
const EIGHTHS = ["▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"];

export function renderText(notice: Notice): string {
  const { title, happened, bars, answers, facts } = notice;
  const { actions, commands } = notice;
  const labelWidth = Math.max(...facts.map(({ label }) => label.length)) + 2;
  const paragraphs = [
    title,
    happened.length === 0 ? undefined : happened.join("\n"),
    bars.length === 0 ? undefined : renderBars(bars),
    ...answers.map(renderAnswer),
    actions.map(({ label, url }) => `${label}: ${url}`).join("\n"),
    commands.length === 0
      ? undefined
      : `${titleCommands(commands)}\n${lines(commands)}`,
    lines(
      facts.map(({ label, value }) => `${label.padEnd(labelWidth)}${value}`),
    ),
  ];
  const shown = paragraphs.filter((paragraph) => paragraph !== undefined);
  return `${shown.join("\n\n")}\n`;
}

function renderAnswer({ label, value, url }: Answer): string {
  const sentence = `${label}: ${value}`;
  return url === undefined ? sentence : `${sentence}\n${url}`;
}

function renderBars(bars: readonly Bar[]): string {
  const labelWidth = Math.max(...bars.map(({ label }) => label.length)) + 2;
  return lines(
    bars.map(
      ({ label, value, ratio }) =>
        `${label.padEnd(labelWidth)}${drawBar(ratio)} ${value}`,
    ),
  );
}

/** Never empty, however small the ratio. */
function drawBar(ratio: number): string {
  const eighths = Math.max(1, Math.round(ratio * BAR_CHARACTERS * 8));
  const rest = EIGHTHS[(eighths % 8) - 1] ?? "";
  return "█".repeat(Math.floor(eighths / 8)) + rest;
}

function lines(items: readonly string[]): string {
  return items.map((item) => `  ${item}`).join("\n");
}
