/** The characters of a field name (RFC 9110 5.1). */
const TOKEN = /^[!#$%&'*+\-.^_`|~\dA-Za-z]+$/;

/** Meant for one connection only (RFC 9110 7.6.1), like those that `Connection` names. */
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

/** Names that another server may take for these routing and framing headers are hop-by-hop. */
const ROUTING: ReadonlySet<string> = new Set(["host", "content-length"]);

/** Headers by which a client may make claims about itself. */
const CLAIM = /^(x-forwarded-|forwarded$|x-real-ip$)/;

/** Claims that the proxy makes itself. */
const SET: ReadonlySet<string> = new Set([
  "x-forwarded-for",
  "x-forwarded-proto",
  "x-forwarded-host",
]);

/** At this size the cache is cleared: peers can invent names, and must neither fill memory nor keep other names out. */
const KNOWN_LIMIT = 1000;

/** How the proxy treats a header with this name. */
export interface HeaderName {
  readonly lowerCase: string;
  readonly isHopByHop: boolean;
  readonly isClaim: boolean;
  /** A claim that the proxy makes itself. */
  readonly isSetByUs: boolean;
  readonly hasUnderscore: boolean;
}

const known = new Map<string, HeaderName>();

/** Undefined when it is no valid name. Caches names in the case in which they were received. */
export function readHeaderName(name: string): HeaderName | undefined {
  const found = known.get(name);
  if (found !== undefined) return found;
  if (!TOKEN.test(name)) return undefined;
  const lowerCase = name.toLowerCase();
  const hasUnderscore = name.includes("_");
  // As CGI and WSGI read it: to an app behind them the two are one header.
  const dashed = lowerCase.replaceAll("_", "-");
  const read = {
    lowerCase,
    isHopByHop:
      HOP_BY_HOP.has(dashed) || (hasUnderscore && ROUTING.has(dashed)),
    isClaim: CLAIM.test(dashed),
    isSetByUs: SET.has(dashed),
    hasUnderscore,
  };
  if (known.size >= KNOWN_LIMIT) known.clear();
  known.set(name, read);
  return read;
}
