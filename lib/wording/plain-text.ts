/** Text that others wrote, without anything that would steer a terminal or break a line. */
export function toPlain(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]+/gu, " ");
}

/** White space folded as well: safe in a header. */
export function oneLine(text: string): string {
  return toPlain(text).replace(/\s+/g, " ").trim();
}

/** One line of at most `maxCharacters`; what is cut off leaves an ellipsis. */
export function shortLine(text: string, maxCharacters: number): string {
  const characters = Array.from(oneLine(text));
  return characters.length <= maxCharacters
    ? characters.join("")
    : `${characters.slice(0, maxCharacters - 1).join("")}…`;
}
