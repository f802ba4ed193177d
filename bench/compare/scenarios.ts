/** One kind of load, defined by a script for wrk and a path for the backend. */
export interface Scenario {
  readonly name: string;
  readonly title: string;
  readonly path: string;
  readonly connections: number;
  readonly bodyBytes?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

export const TINY_PATH = "/tiny";
export const LARGE_PATH = "/large";
export const LARGE_BYTES = 65_536;
const USUAL_CONNECTIONS = 64;

/** A browser's headers for a page behind a login: 1.1 KB. */
const BROWSER_HEADERS = {
  "User-Agent":
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
  Accept:
    "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8",
  "Accept-Encoding": "gzip, deflate, br, zstd",
  "Accept-Language": "en-GB,en;q=0.9,de;q=0.8",
  "Cache-Control": "max-age=0",
  Cookie: `session=${"5e1f".repeat(32)}; consent=${"a7c0".repeat(24)}; theme=dark`,
  Referer: "https://shop.example.com/catalogue/garden/chairs?page=3&sort=price",
  "Sec-Ch-Ua": '"Chromium";v="140", "Not=A?Brand";v="24"',
  "Sec-Ch-Ua-Mobile": "?0",
  "Sec-Ch-Ua-Platform": '"Linux"',
  "Sec-Fetch-Dest": "document",
  "Sec-Fetch-Mode": "navigate",
  "Sec-Fetch-Site": "same-origin",
  "Upgrade-Insecure-Requests": "1",
};

export const SCENARIOS: readonly Scenario[] = [
  {
    name: "tiny",
    title: "tiny GET",
    path: TINY_PATH,
    connections: USUAL_CONNECTIONS,
  },
  {
    name: "64k",
    title: "64 KiB GET",
    path: LARGE_PATH,
    connections: USUAL_CONNECTIONS,
  },
  {
    name: "post",
    title: "16 KiB POST",
    path: TINY_PATH,
    connections: USUAL_CONNECTIONS,
    bodyBytes: 16_384,
  },
  {
    name: "browser",
    title: "GET with a browser's headers",
    path: TINY_PATH,
    connections: USUAL_CONNECTIONS,
    headers: BROWSER_HEADERS,
  },
  {
    name: "1000",
    title: "tiny GET, 1,000 connections",
    path: TINY_PATH,
    connections: 1000,
  },
];

/** In Lua: the requests and, at the end, the counts as one line of JSON. */
export function renderWrkScript({ bodyBytes, headers = {} }: Scenario): string {
  const fields = Object.entries(headers).map(
    ([name, value]) =>
      `wrk.headers[${JSON.stringify(name)}] = ${JSON.stringify(value)}`,
  );
  const body =
    bodyBytes === undefined
      ? []
      : [`wrk.method = "POST"`, `wrk.body = string.rep("x", ${bodyBytes})`];
  return `${[...fields, ...body].join("\n")}
function done(summary)
  local e = summary.errors
  print(string.format(
    '{"requests":%d,"bytes":%d,"connect":%d,"read":%d,"write":%d,"status":%d,"timeout":%d}',
    summary.requests, summary.bytes, e.connect, e.read, e.write, e.status, e.timeout))
end
`;
}
