/** Characters that control a terminal, break a line, or hide or reorder text. U+2065 is reserved for another of them. */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029\u2065]+/gu;

/** Replaces unsafe characters in foreign text. */
export function toPlain(text: string): string {
  return text.replace(UNSAFE, " ");
}

/** The same for several lines. */
export function toPlainLines(text: string): string {
  return text.split("\n").map(toPlain).join("\n");
}

/** JSON with the same meaning, for a terminal: JSON.stringify escapes only U+0000 to U+001F. */
export function escapeUnsafe(json: string): string {
  const escape = (unsafe: string) =>
    unsafe
      .split("")
      .map((unit) =>
        unit === "\n"
          ? unit
          : `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
      )
      .join("");
  return json.replace(UNSAFE, escape);
}

/** Folds white space too, so that the text is safe in a header. */
export function oneLine(text: string): string {
  return toPlain(text).replace(/\s+/g, " ").trim();
}

/** One line of at most `maxCharacters`, truncated with an ellipsis. */
export function shortLine(text: string, maxCharacters: number): string {
  const characters = Array.from(oneLine(text));
  return characters.length <= maxCharacters
    ? characters.join("")
    : `${characters.slice(0, maxCharacters - 1).join("")}…`;
}
