import { toPlain } from "../../../../lib/wording/plain-text.js";
import type { Output, Style } from "../../output.js";
import { layOutFacts } from "../../table.js";

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

/** Prints a line per finding, followed by its remedy. */
export function printFindings(
  findings: readonly Finding[],
  { line, paint }: Output,
): void {
  const width = Math.max(...findings.map(({ level }) => level.length));
  const lines = layOutFacts(
    findings.map(({ check, says }) => [check, toPlain(says)]),
  );
  findings.forEach(({ level, todo }, at) => {
    const word = paint(LEVEL_STYLES[level], level.padEnd(width));
    line(`${word}  ${lines[at] ?? ""}`);
    if (todo !== undefined) line(`${" ".repeat(width)}  → ${toPlain(todo)}`);
  });
}
