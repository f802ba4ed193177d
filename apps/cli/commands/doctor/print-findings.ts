import type { Output, Style } from "../../output.js";
import { layOutFacts } from "../../table.js";
import type { Finding } from "./finding.js";

const LEVEL_STYLES: Readonly<Record<Finding["level"], Style>> = {
  ok: "green",
  note: "yellow",
  problem: ["bold", "red"],
  unreachable: ["bold", "red"],
  refused: ["bold", "red"],
};

/** Prints a line per finding, followed by its remedy. */
export function printFindings(
  findings: readonly Finding[],
  { line, paint }: Output,
): void {
  const width = Math.max(...findings.map(({ level }) => level.length));
  const lines = layOutFacts(findings.map(({ check, says }) => [check, says]));
  findings.forEach(({ level, todo }, at) => {
    const word = paint(LEVEL_STYLES[level], level.padEnd(width));
    line(`${word}  ${lines[at] ?? ""}`);
    if (todo !== undefined) line(`${" ".repeat(width)}  → ${todo}`);
  });
}
