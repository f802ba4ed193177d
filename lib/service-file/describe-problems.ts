import { isMap, isScalar, isSeq, type Document, type LineCounter } from "yaml";
import type * as z from "zod";

type Path = readonly PropertyKey[];
type Issue = z.core.$ZodIssue;

export interface Problem {
  line: number;
  sentence: string;
}

/**
 * Says of each issue which field is wrong, its value, and what would be right.
 *
 * @param known the fields of the object at a path
 */
export function describeIssues(
  issues: readonly Issue[],
  document: { content: Document; lines: LineCounter },
  known: (path: Path) => string[],
): Problem[] {
  return issues.flatMap((issue) => {
    if (issue.code === "unrecognized_keys")
      return issue.keys.map((key) => ({
        line: lineOf([...issue.path, key], document),
        sentence: describeUnknown([...issue.path, key], known(issue.path)),
      }));
    const line = lineOf(issue.path, document);
    return [{ line, sentence: describeIssue(issue) }];
  });
}

function describeUnknown(path: Path, known: string[]): string {
  return `${formatPath(path)} is unknown: give ${known.join(", ")}`;
}

function describeIssue(issue: Issue): string {
  if (issue.code === "custom" && issue.params?.isSentence === true)
    return issue.message;
  const field = formatPath(issue.path);
  // The key of a record: its value is not at fault.
  if (issue.code === "invalid_key")
    return `${field}: give ${issue.issues[0]?.message ?? issue.message}`;
  if (issue.input === undefined)
    return `${field} is missing: give ${issue.message}`;
  return `${field} is ${format(issue.input)}: give ${issue.message}`;
}

function format(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

/** `servers.prod[1]` */
function formatPath(path: Path): string {
  if (path.length === 0) return "the file";
  return path
    .map((part, place) => {
      if (typeof part === "number") return `[${part}]`;
      return place === 0 ? String(part) : `.${String(part)}`;
    })
    .join("");
}

/** The line of what the path leads to, or of the nearest thing around it. */
function lineOf(
  path: Path,
  { content, lines }: { content: Document; lines: LineCounter },
): number {
  let node: unknown = content.contents;
  let offset = 0;
  for (const part of path) {
    if (isMap(node)) {
      const pair = node.items.find(
        ({ key }) => isScalar(key) && String(key.value) === String(part),
      );
      if (pair === undefined) break;
      offset = startOf(pair.key) ?? offset;
      node = pair.value;
    } else if (isSeq(node)) {
      node = node.items[Number(part)];
      offset = startOf(node) ?? offset;
    } else break;
  }
  return lines.linePos(offset).line;
}

function startOf(node: unknown): number | undefined {
  return (node as { range?: [number, number, number] } | null | undefined)
    ?.range?.[0];
}
