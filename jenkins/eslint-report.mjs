/**
 * ESLint formatter: `stylish` on the console, and a checkstyle report in the file $ESLINT_REPORT.
 *
 *     ESLINT_REPORT=artifacts/reports/checkstyle.xml npx eslint . --format ./jenkins/eslint-report.mjs
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { ESLint } from "eslint";

const ENTITIES = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
/** Characters that XML 1.0 forbids even when escaped. */
// eslint-disable-next-line no-control-regex -- control characters are the point
const FORBIDDEN = /[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/g;

function tag(name, attributes) {
  const pairs = Object.entries(attributes).map(([key, value]) => {
    const text = String(value)
      .replace(FORBIDDEN, "�")
      .replace(/[&<>"]/g, (character) => ENTITIES[character]);
    return ` ${key}="${text}"`;
  });
  return `<${name}${pairs.join("")}`;
}

function describeFile({ filePath, messages }) {
  const errors = messages.map(
    ({ line = 0, column = 0, severity, message, ruleId }) =>
      `${tag("error", {
        line,
        column,
        severity: severity === 2 ? "error" : "warning",
        message: ruleId === null ? message : `${message} (${ruleId})`,
        source: ruleId === null ? "" : `eslint.rules.${ruleId}`,
      })}/>`,
  );
  return `${tag("file", { name: filePath })}>${errors.join("")}</file>`;
}

export default async function report(results) {
  const path = process.env.ESLINT_REPORT;
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(
    path,
    `<?xml version="1.0" encoding="utf-8"?>\n<checkstyle version="4.3">\n${results.map(describeFile).join("\n")}\n</checkstyle>\n`,
  );
  const stylish = await new ESLint().loadFormatter("stylish");
  return stylish.format(results);
}
