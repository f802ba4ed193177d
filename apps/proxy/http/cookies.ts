const SPACE = 32;
const TAB = 9;
const SEMICOLON = 59;

/**
 * The value of a request's first cookie with this name (RFC 6265 5.4), without the blanks around it. Everything else in the header
 * may be malformed.
 */
export function cookieValue(
  header: string | undefined,
  name: string,
): string | undefined {
  if (header === undefined) return undefined;
  for (let at = header.indexOf(name); at >= 0; at = header.indexOf(name, at)) {
    const begins = isBoundary(header, at - 1);
    at += name.length;
    if (!begins || header[at] !== "=") continue;
    const end = header.indexOf(";", at);
    return header.slice(at + 1, end < 0 ? undefined : end).trim();
  }
  return undefined;
}

/** Whether a cookie may begin behind this place. */
function isBoundary(header: string, at: number): boolean {
  let before = at;
  while (
    header.charCodeAt(before) === SPACE ||
    header.charCodeAt(before) === TAB
  )
    before -= 1;
  return before < 0 || header.charCodeAt(before) === SEMICOLON;
}
