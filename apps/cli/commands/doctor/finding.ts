import { toPlain } from "../../../../lib/wording/plain-text.js";
import { drawSentence, type Output, type Style } from "../../output.js";
import { hang } from "../../table.js";

/** The result of a check. A `note` requires no action. */
export interface Finding {
  check: string;
  level: "ok" | "note" | "problem" | "unreachable" | "refused";
  says: string;
  /** The suggested remedy. */
  todo?: string;
}

const LEVEL_STYLES: Readonly<Record<Finding["level"], Style>> = {
  ok: "green",
  note: "yellow",
  problem: ["bold", "red"],
  unreachable: ["bold", "red"],
  refused: ["bold", "red"],
};

export function ok(check: string, says: string): Finding {
  return { check, level: "ok", says };
}

export function note(check: string, says: string, todo?: string): Finding {
  return { check, level: "note", says, ...(todo !== undefined && { todo }) };
}

export function problem(check: string, says: string, todo: string): Finding {
  return { check, level: "problem", says, todo };
}

/** Prints each finding with its remedy, and how many are problems. */
export function printFindings(
  findings: readonly Finding[],
  output: Output,
): void {
  const { line, paint, width } = output;
  const levelWidth = Math.max(...findings.map(({ level }) => level.length));
  const checkWidth = Math.max(...findings.map(({ check }) => check.length));
  for (const { level, check, says, todo } of findings) {
    const head = `${level.padEnd(levelWidth)}  ${check.padEnd(checkWidth)}  `;
    const [first = "", ...rest] = hang(head, toPlain(says), width);
    line(paint(LEVEL_STYLES[level], level) + first.slice(level.length));
    rest.forEach(line);
    if (todo === undefined) continue;
    const arrow = `${" ".repeat(levelWidth)}  → `;
    hang(arrow, toPlain(todo), width).forEach(line);
  }
  const { isWell, text } = summarise(findings);
  line("");
  const style: Style = ["bold", isWell ? "green" : "red"];
  drawSentence(style, text, output).forEach(line);
}

/** `3 problems: flag, proxy, agent` */
function summarise(findings: readonly Finding[]) {
  const problems = findings.filter(
    ({ level }) => level !== "ok" && level !== "note",
  );
  const notes = findings.filter(({ level }) => level === "note").length;
  const checks = new Set(problems.map(({ check }) => check));
  const { length } = problems;
  const text =
    length === 0
      ? `all well${notes === 0 ? "" : `, ${notes} ${notes === 1 ? "note" : "notes"}`}`
      : `${length} ${length === 1 ? "problem" : "problems"}: ${[...checks].join(", ")}`;
  return { isWell: length === 0, text };
}
