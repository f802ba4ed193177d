/** The characters of a field name (RFC 9110 5.1). */
const TOKEN = /^[!#$%&'*+\-.^_`|~\dA-Za-z]+$/;
/** Names beyond these are made out anew each time: an upstream must not fill our memory with them. */
const KNOWN_LIMIT = 1000;

const known = new Map<string, string>();

/** A header's name in lower case; undefined when it is not one. Remembers those it has seen: they come again. */
export function lowerCaseName(name: string): string | undefined {
  const found = known.get(name);
  if (found !== undefined) return found;
  if (!TOKEN.test(name)) return undefined;
  const lowerCase = name.toLowerCase();
  if (known.size < KNOWN_LIMIT) known.set(name, lowerCase);
  return lowerCase;
}
