import { check, type Case, type CaseGroup } from "./case.js";
import type { Harness } from "./harness.js";
import { valuesIn, type FramedRequest } from "./strict-http.js";

const HOST = "Host: shop.example";
const CHUNKED = "Transfer-Encoding: chunked";
const SMUGGLED = ["GET /smuggled HTTP/1.1", HOST, "", ""].join("\r\n");

const ONE_CHUNK = "1\r\nx\r\n0\r\n\r\n";

interface Row {
  name: string;
  /** Pieces are sent one after the other has been written. */
  send: string | string[];
  /** What must arrive at the upstream: `METHOD target body`. */
  expect: string[];
  /** Whether rejecting the request with a 4xx is acceptable too. */
  mayReject?: boolean;
  judge?: (request: FramedRequest) => void;
}

/** A request with a Host. @param body the lines after the headers' end */
function message(
  startLine: string,
  headers: readonly string[] = [],
  ...body: string[]
): string {
  const lines = body.length > 0 ? body : [""];
  return [startLine, HOST, ...headers, "", ...lines].join("\r\n");
}

/** A chunked request whose body looks like another request (CVE-2026-29057). */
function carrier(method: string): Row {
  const size = SMUGGLED.length.toString(16);
  return {
    name: `a chunked ${method} whose body looks like a request`,
    send: message(
      `${method} /carrier HTTP/1.1`,
      [CHUNKED],
      size,
      SMUGGLED,
      "0\r\n\r\n",
    ),
    expect: [`${method} /carrier ${SMUGGLED}`],
  };
}

function lengthCarrier(method: string): Row {
  return {
    name: `a ${method} with a Content-Length whose body looks like a request`,
    send: message(
      `${method} /carrier HTTP/1.1`,
      [`Content-Length: ${SMUGGLED.length}`],
      SMUGGLED,
    ),
    expect: [`${method} /carrier ${SMUGGLED}`],
  };
}

function chunked(name: string, lines: string[], body: string): Row {
  return {
    name,
    send: message("POST /c HTTP/1.1", [CHUNKED], ...lines, "", ""),
    expect: [`POST /c ${body}`],
  };
}

function hasNone(...names: string[]): (request: FramedRequest) => void {
  return (request) => {
    for (const name of names)
      check(
        valuesIn([...request.headers, ...request.trailers], name).length === 0,
        "wrong",
        `${name} was forwarded`,
      );
  };
}

const PLAIN = message("GET /split HTTP/1.1", ["X-A: 1"]);
const SPLIT_POST = message(
  "POST /split HTTP/1.1",
  [CHUNKED],
  "5;e=1",
  "hello",
  "0",
  "X-T: 1",
  "",
  "",
);

const ROWS: Row[] = [
  ...["DELETE", "OPTIONS", "GET", "PUT", "PATCH"].map(carrier),
  ...["DELETE", "OPTIONS", "GET"].map(lengthCarrier),
  chunked("chunk extensions", ["5;a=b;c", "hello", "0;last"], "hello"),
  chunked("a quoted chunk extension", ['5;a="b;c"', "hello", "0"], "hello"),
  chunked(
    "a chunk size with leading zeros",
    ["0000005", "hello", "0"],
    "hello",
  ),
  chunked(
    "chunk sizes in upper and lower case",
    ["a", "0123456789", "A", "0123456789", "0"],
    "01234567890123456789",
  ),
  chunked(
    "a body of 300 chunks",
    [...Array.from({ length: 300 }, () => "1\r\nx"), "0"],
    "x".repeat(300),
  ),
  {
    name: "a Transfer-Encoding spelt cHuNkEd",
    send: message(
      "POST /c HTTP/1.1",
      ["transfer-encoding: cHuNkEd"],
      ONE_CHUNK,
    ),
    expect: ["POST /c x"],
  },
  {
    name: "trailers with framing headers",
    send: message(
      "POST /c HTTP/1.1",
      [CHUNKED, "Trailer: Content-Length"],
      "1",
      "x",
      "0",
      "Content-Length: 40",
      "Host: evil",
      "",
      "",
    ),
    expect: ["POST /c x"],
    mayReject: true,
    judge: (request) =>
      check(
        !valuesIn(request.headers, "host").includes("evil"),
        "smuggled",
        "a trailer became a header",
      ),
  },
  {
    name: "a GET that announces trailers",
    send: message("GET /t HTTP/1.1", ["Trailer: x", "TE: trailers"]),
    expect: ["GET /t "],
    judge: hasNone("trailer"),
  },
  {
    name: "Connection naming Content-Length",
    send: message(
      "POST /c HTTP/1.1",
      ["Connection: close, Content-Length", "Content-Length: 5"],
      "hello",
    ),
    expect: ["POST /c hello"],
    mayReject: true,
  },
  {
    name: "Connection naming Transfer-Encoding",
    send: message(
      "POST /c HTTP/1.1",
      ["Connection: Transfer-Encoding", CHUNKED],
      ONE_CHUNK,
    ),
    expect: ["POST /c x"],
    mayReject: true,
  },
  {
    name: "Connection naming Host",
    send: message("GET /c HTTP/1.1", ["Connection: Host"]),
    expect: ["GET /c "],
    mayReject: true,
  },
  {
    name: "hop-by-hop headers",
    send: message("GET /h HTTP/1.1", [
      "Connection: keep-alive, X-Secret",
      "X-Secret: 1",
      "Keep-Alive: timeout=5",
      "Proxy-Connection: keep-alive",
      "Proxy-Authorization: Basic eA==",
      "TE: trailers",
    ]),
    expect: ["GET /h "],
    judge: hasNone(
      "x-secret",
      "keep-alive",
      "proxy-connection",
      "proxy-authorization",
      "te",
    ),
  },
  {
    name: "a request to switch to h2c",
    send: message("GET /h2c HTTP/1.1", [
      "Connection: Upgrade, HTTP2-Settings",
      "Upgrade: h2c",
      "HTTP2-Settings: AAMAAABkAAQAAP__",
    ]),
    expect: ["GET /h2c "],
    judge: hasNone("http2-settings", "upgrade"),
  },
  {
    name: "header names that resemble framing headers",
    send: message("GET /n HTTP/1.1", [
      "Transfer_Encoding: chunked",
      "Content_Length: 40",
      "X-Content-Length: 40",
    ]),
    expect: ["GET /n "],
    judge: hasNone("transfer_encoding", "content_length"),
  },
  {
    name: "header and trailer names with underscores",
    send: message(
      "POST /u HTTP/1.1",
      [
        "X_Forwarded_For: 7.7.7.7",
        "x_served_by: canary",
        "Transfer-Encoding: chunked",
      ],
      "0",
      "X_Real_IP: 7.7.7.7",
      "",
      "",
    ),
    expect: ["POST /u "],
    judge: hasNone("x_forwarded_for", "x_served_by", "x_real_ip"),
  },
  {
    name: "an empty POST",
    send: message("POST /e HTTP/1.1"),
    expect: ["POST /e "],
    judge: (request) =>
      check(!request.chunked, "wrong", "an empty body became a chunked one"),
  },
  {
    name: "an empty line before the request",
    send: `\r\n${message("GET /e HTTP/1.1")}`,
    expect: ["GET /e "],
    mayReject: true,
  },
  {
    name: "an HTTP/1.0 request",
    send: message("GET /old HTTP/1.0"),
    expect: ["GET /old "],
  },
  {
    name: "an HTTP/1.0 request without a Host",
    send: "GET /old HTTP/1.0\r\n\r\n",
    expect: ["GET /old "],
    mayReject: true,
    judge: ({ headers }) =>
      check(valuesIn(headers, "host").length === 1, "wrong", "it got no Host"),
  },
  {
    name: "an HTTP/1.0 POST",
    send: message("POST /old HTTP/1.0", ["Content-Length: 5"], "hello"),
    expect: ["POST /old hello"],
  },
  {
    name: "a head sent byte by byte",
    send: PLAIN.split(""),
    expect: ["GET /split "],
  },
  {
    name: "a chunked request sent byte by byte",
    send: SPLIT_POST.split(""),
    expect: ["POST /split hello"],
  },
  {
    name: "a head of 12 KB",
    send: message("GET /big HTTP/1.1", [
      ...Array.from({ length: 100 }, (_, i) => `X-${i}: ${"a".repeat(110)}`),
    ]),
    expect: ["GET /big "],
    mayReject: true,
  },
  {
    name: "2,500 headers before the Content-Length",
    send: message(
      "POST /many HTTP/1.1",
      [...Array.from({ length: 2500 }, () => "a:"), "Content-Length: 4"],
      "body",
    ),
    expect: ["POST /many body"],
    mayReject: true,
  },
  {
    name: "an unusual path, unchanged",
    send: message("GET //a/../b/%2e%2e/c?x=//y&&z HTTP/1.1"),
    expect: ["GET //a/../b/%2e%2e/c?x=//y&&z "],
  },
];

function forwarded(row: Row): Case {
  return { name: row.name, run: (harness) => runForwarded(harness, row) };
}

async function runForwarded(harness: Harness, row: Row): Promise<void> {
  const client = harness.connect();
  for (const piece of [row.send].flat())
    await new Promise((resolve) =>
      client.socket.write(piece, "latin1", resolve),
    );
  const view = await harness.awaitResponses(client, ["GET"]);
  const status = view.responses.find(({ status }) => status >= 200)?.status;
  const { requests } = harness.upstream;
  const seen = requests.map(
    ({ method, target, body }) => `${method} ${target} ${body}`,
  );
  if (row.mayReject === true && seen.length === 0 && (status ?? 0) >= 400)
    return;
  const smuggled = requests.some(({ target }) => target === "/smuggled");
  check(
    seen.join("\n") === row.expect.join("\n"),
    smuggled ? "smuggled" : "wrong",
    () =>
      `answered ${status ?? "nothing"}, upstream got ${JSON.stringify(seen)}`,
  );
  check(status === 200, "wrong", () => `answered ${status ?? "nothing"}`);
  for (const request of requests) row.judge?.(request);
}

async function rejectsLargeHead(harness: Harness): Promise<void> {
  const client = harness
    .connect()
    .get("/huge", `X-Huge: ${"a".repeat(300_000)}`);
  const view = await harness.awaitResponses(client, ["GET"]);
  const status = view.responses[0]?.status ?? 0;
  check(
    harness.upstream.requests.length === 0,
    "lax",
    "the request was forwarded",
  );
  // A reset may overtake the response while the client is still sending.
  check(
    [400, 413, 414, 431].includes(status) || view.ending !== undefined,
    "wrong",
    `answered ${status}`,
  );
  await harness.closed(client);
}

async function rejectsLargeChunkExtension(harness: Harness): Promise<void> {
  const client = harness.connect();
  client.send("POST /ext HTTP/1.1", HOST, CHUNKED, "", "1;");
  const piece = "a".repeat(10_000);
  const pour = () => {
    for (let i = 0; i < 10; i++) client.send(piece);
  };
  for (let i = 0; i < 20; i++) pour();
  client.send("", "x", "0\r\n\r\n");
  const view = await harness.awaitResponses(client, ["POST"]);
  const status = view.responses[0]?.status;
  check(status !== 200, "lax", "a chunk extension of 2 MB was accepted");
}

export const PROPER_REQUESTS: CaseGroup = {
  title: "valid requests",
  cases: [
    ...ROWS.map(forwarded),
    { name: "a head of 300 KB is rejected", run: rejectsLargeHead },
    {
      name: "a chunk extension of 2 MB is rejected",
      run: rejectsLargeChunkExtension,
    },
  ],
};
