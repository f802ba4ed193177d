/** The characters of a field name (RFC 9110 5.1). */
const TOKEN = /^[!#$%&'*+\-.^_`|~\dA-Za-z]+$/;

/** Meant for one connection only (RFC 9110 7.6.1), beside whatever `Connection` names. */
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/** What a client might claim about itself. */
const CLAIM = /^(x-forwarded-|forwarded$|x-real-ip$)/;

/** Those that a proxy sets itself. */
const SET: ReadonlySet<string> = new Set([
  "x-forwarded-for",
  "x-forwarded-proto",
  "x-forwarded-host",
]);

/** With so many the memory starts afresh: peers can make up names, and must neither fill it nor keep others out. */
const KNOWN_LIMIT = 1000;

/** What a header's name says of how a proxy treats it. */
export interface HeaderName {
  readonly lowerCase: string;
  readonly isHopByHop: boolean;
  readonly isClaim: boolean;
  /** A claim that we make ourselves. */
  readonly isSetByUs: boolean;
}

const known = new Map<string, HeaderName>();

/** Undefined when it is not one. Remembers those it has seen, in the case that they came in: they come again. */
export function readHeaderName(name: string): HeaderName | undefined {
  const found = known.get(name);
  if (found !== undefined) return found;
  if (!TOKEN.test(name)) return undefined;
  const lowerCase = name.toLowerCase();
  const read = {
    lowerCase,
    isHopByHop: HOP_BY_HOP.has(lowerCase),
    isClaim: CLAIM.test(lowerCase),
    isSetByUs: SET.has(lowerCase),
  };
  if (known.size >= KNOWN_LIMIT) known.clear();
  known.set(name, read);
  return read;
}
