import {
  isMap,
  isScalar,
  isSeq,
  type Document,
  type LineCounter,
  type YAMLError,
} from "yaml";
import type * as z from "zod";

type Path = readonly PropertyKey[];
type Issue = z.core.$ZodIssue;

const SYNTAX_CURES: Readonly<Record<string, string>> = {
  BLOCK_AS_IMPLICIT_KEY:
    "put a text that has a colon in quotes, and indent the fields of one object equally",
  BAD_INDENT: "close it, and indent its lines more than its field",
  TAB_AS_INDENT: "use spaces",
  DUPLICATE_KEY: "remove one of them",
};

export interface Problem {
  line: number;
  sentence: string;
}

/** The first problem of each line: others follow from it. */
export function describeSyntaxErrors(errors: readonly YAMLError[]): Problem[] {
  const problems = new Map<number, Problem>();
  for (const { code, linePos, message } of errors) {
    const line = linePos?.[0].line ?? 1;
    const [first = message] = message.split(/ at line |\n/);
    const cure = SYNTAX_CURES[code];
    const sentence = [first.replace(/:$/, ""), ...(cure ? [cure] : [])];
    if (!problems.has(line))
      problems.set(line, { line, sentence: sentence.join(": ") });
  }
  return [...problems.values()];
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
  return issues.flatMap(findInside).flatMap((issue) => {
    if (issue.code === "unrecognized_keys")
      return issue.keys.map((key) => ({
        line: lineOf([...issue.path, key], document),
        sentence: describeUnknown([...issue.path, key], known(issue.path)),
      }));
    const line = lineOf(issue.path, document);
    return [{ line, sentence: describeIssue(issue) }];
  });
}

/** What is wrong in an object, where its field takes a text too. */
function findInside(issue: Issue): Issue[] {
  if (issue.code !== "invalid_union" || typeof issue.input !== "object")
    return [issue];
  const inside = issue.errors.find((branch) =>
    branch.every(
      ({ path, code }) => path.length > 0 || code === "unrecognized_keys",
    ),
  );
  return (
    inside?.map((one) => ({ ...one, path: [...issue.path, ...one.path] })) ?? [
      issue,
    ]
  );
}

function describeUnknown(path: Path, known: string[]): string {
  const fields = known.join(", ");
  const meant = known.find((name) => isSimilar(name, String(path.at(-1))));
  const cure =
    meant === undefined
      ? `give ${fields}`
      : `did you mean ${meant}? Give ${fields}`;
  return `${formatPath(path)} is unknown: ${cure}`;
}

/** Whether one letter is missing, superfluous, wrong or swapped with the next. */
function isSimilar(one: string, other: string): boolean {
  let start = 0;
  while (start < one.length && one[start] === other[start]) start += 1;
  const [a, b] = [one.slice(start), other.slice(start)];
  return (
    [a, a.slice(1)].includes(b.slice(1)) ||
    a.slice(1) === b ||
    (a.slice(2) === b.slice(2) && a.startsWith(`${b.charAt(1)}${b.charAt(0)}`))
  );
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
