/** Folds white space, line breaks and invisible characters to single spaces: safe in a header, harmless in a terminal. */
export function oneLine(text: string): string {
  return text.replace(/[\s\p{Cc}\p{Cf}\p{Cs}]+/gu, " ").trim();
}

/** One line of at most `maxCharacters`; what is cut off leaves an ellipsis. */
export function shortLine(text: string, maxCharacters: number): string {
  const characters = Array.from(oneLine(text));
  return characters.length <= maxCharacters
    ? characters.join("")
    : `${characters.slice(0, maxCharacters - 1).join("")}…`;
}
