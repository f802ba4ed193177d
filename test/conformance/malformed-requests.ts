import { check, type Case, type CaseGroup } from "./case.js";
import { quote } from "./harness.js";

const HOST = "Host: shop.example";
const CHUNKED = "Transfer-Encoding: chunked";
const SMUGGLED = ["GET /smuggled HTTP/1.1", HOST, "", ""].join("\r\n");

type Row = [name: string, lines: string[]];

function post(...lines: string[]): string[] {
  return ["POST / HTTP/1.1", HOST, ...lines, "", ""];
}

function get(line: string, ...headers: string[]): string[] {
  return [line, HOST, ...headers, "", ""];
}

function chunks(...lines: string[]): string[] {
  return post(CHUNKED, "", ...lines);
}

/** Requests that two servers could frame differently. */
const FRAMING: Row[] = [
  [
    "Content-Length beside Transfer-Encoding",
    post("Content-Length: 5", CHUNKED, "", "0"),
  ],
  [
    "Transfer-Encoding beside Content-Length",
    post(CHUNKED, "Content-Length: 5", "", "0"),
  ],
  [
    "Content-Length: 0 beside Transfer-Encoding",
    post("Content-Length: 0", CHUNKED, "", "0"),
  ],
  [
    "two different Content-Lengths",
    post("Content-Length: 0", "Content-Length: 44"),
  ],
  [
    "the same Content-Length twice",
    post("Content-Length: 0", "Content-Length: 0"),
  ],
  ["a list of Content-Lengths", post("Content-Length: 0, 44")],
  ["a list of equal Content-Lengths", post("Content-Length: 0, 0")],
  ["a Content-Length with a sign", post("Content-Length: +0")],
  ["a negative Content-Length", post("Content-Length: -1")],
  ["a hexadecimal Content-Length", post("Content-Length: 0x0")],
  ["a Content-Length with a space inside", post("Content-Length: 0 0")],
  ["an empty Content-Length", post("Content-Length:")],
  [
    "a Content-Length beyond 64 bits",
    post("Content-Length: 18446744073709551616"),
  ],
  ["an obs-fold", post("X-A: 1", " Content-Length: 44")],
  ["an obs-folded Transfer-Encoding", post("Transfer-Encoding:", " chunked")],
  [
    "a folded first header",
    ["POST / HTTP/1.1", " Content-Length: 44", HOST, "", ""],
  ],
  ["an unknown Transfer-Encoding", post("Transfer-Encoding: xchunked")],
  ["a Transfer-Encoding in quotes", post('Transfer-Encoding: "chunked"')],
  [
    "a Transfer-Encoding with a parameter",
    post("Transfer-Encoding: chunked;q=1"),
  ],
  ["an empty Transfer-Encoding", post("Transfer-Encoding:")],
  [
    "a Transfer-Encoding after a vertical tab",
    post("Transfer-Encoding:\x0bchunked"),
  ],
  [
    "chunked that is not the last Transfer-Encoding",
    post("Transfer-Encoding: chunked, identity"),
  ],
  ["Transfer-Encoding: identity", post("Transfer-Encoding: identity")],
  [
    "another coding before chunked",
    post("Transfer-Encoding: gzip, chunked", "", "0"),
  ],
  ["chunked twice", post("Transfer-Encoding: chunked, chunked", "", "0")],
  ["chunked on two lines", post(CHUNKED, CHUNKED, "", "0")],
  [
    "Transfer-Encoding on HTTP/1.0",
    ["POST / HTTP/1.0", HOST, CHUNKED, "", "0", "", ""],
  ],
];

const HEADERS: Row[] = [
  ["a space before the colon", post("Content-Length : 44")],
  ["a tab before the colon", post("Transfer-Encoding\t: chunked")],
  ["a NUL in a header", post("X-A: a\0b")],
  ["a NUL in a header's name", post("X\0A: a")],
  ["a bare CR in a header", post("X-A: a\rContent-Length: 44")],
  ["a header ended by a bare LF", post("X-A: a\nContent-Length: 44")],
  ["a head ended by bare LFs", ["POST / HTTP/1.1", `${HOST}\nX-A: 1\n\n`]],
  ["a header name with a forbidden character", post("X(A): 1")],
  ["a header without a name", post(": 1")],
  ["a header without a colon", post("X-A")],
  ["a control character in a header", post("X-A: a\x01b")],
  ["no Host", ["GET / HTTP/1.1", "", ""]],
  ["a second Host", post("Host: admin.internal")],
  ["the same Host twice", post(HOST)],
  ["a Host with a space", ["GET / HTTP/1.1", "Host: a b", "", ""]],
  ["a Host with a path", ["GET / HTTP/1.1", "Host: a/b", "", ""]],
  ["a Host with a user", ["GET / HTTP/1.1", "Host: user@a", "", ""]],
];

const START_LINES: Row[] = [
  ["bytes that are not HTTP", ["\x16\x03\x01\x02\0", "", ""]],
  ["an unknown method", get("STEAL / HTTP/1.1")],
  ["a method in lower case", get("get / HTTP/1.1")],
  ["a space in the target", get("GET /a b HTTP/1.1")],
  ["a tab in the request line", get("GET\t/ HTTP/1.1")],
  ["a NUL in the target", get("GET /\0 HTTP/1.1")],
  ["a control character in the target", get("GET /\x7f HTTP/1.1")],
  ["a request line ended by a bare LF", [`GET / HTTP/1.1\n${HOST}`, "", ""]],
  ["a bare CR in the request line", get("GET /\rHTTP/1.1")],
  ["HTTP/0.9", ["GET /", ""]],
  ["HTTP/2.0", get("GET / HTTP/2.0")],
  ["HTTP/1.10", get("GET / HTTP/1.10")],
  ["http in lower case", get("GET / http/1.1")],
];

const CHUNKS: Row[] = [
  ["a chunk size that is not a number", chunks("xyz", "0")],
  ["a negative chunk size", chunks("-1", "0")],
  ["a chunk size with a sign", chunks("+1", "a", "0")],
  ["a chunk size with 0x", chunks("0x1", "a", "0")],
  ["a chunk size after a space", chunks(" 1", "a", "0")],
  ["a chunk size beyond 64 bits", chunks("10000000000000001", "a", "0")],
  ["an empty chunk size", chunks("", "a", "0")],
  ["a chunk longer than its size", chunks("1", "abc", "0")],
  ["a chunk without a CRLF after it", chunks("1", "a0")],
  ["a chunk size ended by a bare LF", chunks("1\na", "0")],
  ["a chunk ended by a bare LF", chunks("1", "a\n0")],
  ["a chunk extension with a bare LF", chunks("1;a\nb", "a", "0")],
  ["a chunk extension with a bare CR", chunks("1;a\rb", "a", "0")],
  ["a chunk extension with a NUL", chunks("1;a\0b", "a", "0")],
  ["a last chunk ended by bare LFs", post(CHUNKED, "", "0\n")],
  ["a trailer ended by a bare LF", post(CHUNKED, "", "0", "X-A: 1\nX-B: 2")],
  [
    "a trailer with a space before its colon",
    post(CHUNKED, "", "0", "X-A : 1"),
  ],
];

/** The proxy must answer with an error, forward nothing, and close the connection. */
function rejected([name, lines]: Row): Case {
  return {
    name,
    run: async (harness) => {
      const client = harness.connect().send(lines.join("\r\n") + SMUGGLED);
      // Some products take the request for incomplete: their client times out.
      const view = await harness.awaitResponses(
        client,
        ["POST", "GET", "GET"],
        1,
      );
      const [first] = view.responses.filter(({ status }) => status >= 200);
      const seen = harness.upstream.requests.map(
        ({ method, target, body }) => `${method} ${target} ${body.length}`,
      );
      check(
        first !== undefined,
        "wrong",
        "the connection was closed without a response",
      );
      check(
        first.status >= 400 && seen.length === 0,
        harness.upstream.requests.some(
          ({ target }) => target === "/smuggled",
        ) && view.responses.length < 2
          ? "smuggled"
          : "lax",
        () => `answered ${first.status}, upstream got ${seen.join(", ")}`,
      );
      check(
        first.status === 501 || first.status === 505 || first.status < 500,
        "wrong",
        () => `answered ${first.status}`,
      );
      await harness.closed(client);
      check(
        (await harness.awaitResponses(client, ["POST"])).rest === "",
        "wrong",
        () => `more than one response: ${quote(client.unread)}`,
      );
    },
  };
}

export const MALFORMED_REQUESTS: CaseGroup[] = [
  { title: "requests with malformed framing", cases: FRAMING.map(rejected) },
  { title: "requests with malformed headers", cases: HEADERS.map(rejected) },
  { title: "malformed request lines", cases: START_LINES.map(rejected) },
  { title: "requests with malformed chunks", cases: CHUNKS.map(rejected) },
];
