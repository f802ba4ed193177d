/** Replaces control characters in foreign text, which could control a terminal or break a line. */
export function toPlain(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]+/gu, " ");
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
