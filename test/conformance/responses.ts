import { check, type Case, type CaseGroup } from "./case.js";
import { quote, type Harness } from "./harness.js";
import { valuesIn } from "./strict-http.js";

const LENGTH = "Content-Length: 5";
const CHUNKED = "Transfer-Encoding: chunked";
const POISON = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison";

type Row = [name: string, lines: string[]];

function ok(...headers: string[]): string[] {
  return ["HTTP/1.1 200 OK", ...headers, "", "hello"];
}

function chunks(...lines: string[]): string[] {
  return ["HTTP/1.1 200 OK", CHUNKED, "", ...lines, "", ""];
}

/** Responses that cannot be forwarded, or that two parsers could frame differently. */
const UNUSABLE: Row[] = [
  [
    "Content-Length beside Transfer-Encoding",
    ["HTTP/1.1 200 OK", LENGTH, CHUNKED, "", "5", "hello", "0", "", ""],
  ],
  [
    "Transfer-Encoding beside Content-Length",
    ["HTTP/1.1 200 OK", CHUNKED, LENGTH, "", "5", "hello", "0", "", ""],
  ],
  [
    "two different Content-Lengths",
    ["HTTP/1.1 200 OK", LENGTH, "Content-Length: 6", "", "hello"],
  ],
  ["the same Content-Length twice", ok(LENGTH, LENGTH)],
  ["a list of Content-Lengths", ok("Content-Length: 5, 6")],
  ["a Content-Length that is not a number", ok("Content-Length: 5x")],
  ["a negative Content-Length", ok("Content-Length: -5")],
  ["a Content-Length with a sign", ok("Content-Length: +5")],
  ["an obs-fold", ok("X-A: 1", " 2", LENGTH)],
  ["a NUL in a header", ok("X-A: a\0b", LENGTH)],
  ["a control character in a header", ok("X-A: a\x01b", LENGTH)],
  ["a bare CR in a header", ok("X-A: a\rX-B: 1", LENGTH)],
  ["a header ended by a bare LF", ok("X-A: 1\nX-B: 2", LENGTH)],
  ["a head of bare LFs", ["HTTP/1.1 200 OK\nContent-Length: 5\n\nhello"]],
  ["a space before the colon", ok("Content-Length : 5")],
  ["a header without a colon", ok("X-A", LENGTH)],
  ["a header name with a forbidden character", ok("X(A): 1", LENGTH)],
  ["a header of 300 KB", ok(`X-A: ${"a".repeat(300_000)}`, LENGTH)],
  ["no status line", ["hello", "", ""]],
  ["a status below 100", ["HTTP/1.1 099 Odd", LENGTH, "", "hello"]],
  ["a status of two digits", ["HTTP/1.1 20 OK", LENGTH, "", "hello"]],
  ["a status of four digits", ["HTTP/1.1 2000 OK", LENGTH, "", "hello"]],
  ["a status that is not a number", ["HTTP/1.1 OK", LENGTH, "", "hello"]],
  ["HTTP/2.0", ["HTTP/2.0 200 OK", LENGTH, "", "hello"]],
  ["another protocol", ["SSH-2.0-OpenSSH_9.2", ""]],
  [
    "a control character in its reason phrase",
    ["HTTP/1.1 200 O\x01K", LENGTH, "", "hello"],
  ],
  [
    "a coding that the proxy would have to decode",
    ok("Transfer-Encoding: gzip, chunked", "", "5"),
  ],
  ["a coding other than chunked", ok("Transfer-Encoding: gzip")],
  [
    "chunked twice",
    ["HTTP/1.1 200 OK", "Transfer-Encoding: chunked, chunked", "", "0", "", ""],
  ],
  [
    "chunked that is not the last coding",
    ok("Transfer-Encoding: chunked, identity"),
  ],
  [
    "an upgrade without a request for it",
    ["HTTP/1.1 101 Switching", "Connection: upgrade", "Upgrade: x", "", ""],
  ],
  [
    "an upgrade that Connection does not name",
    ["HTTP/1.1 101 Switching", "Upgrade: x", "", ""],
  ],
];

/** The head is valid and the body is not: too late for a 502. */
const BAD_BODIES: Row[] = [
  ["a chunk size that is not a number", chunks("5", "hello", "xyz")],
  ["a chunk size with 0x", chunks("5", "hello", "0x5", "hello", "0")],
  [
    "a chunk size beyond 64 bits",
    chunks("5", "hello", "10000000000000005", "hello", "0"),
  ],
  ["a chunk size ended by a bare LF", chunks("5", "hello", "5\nhello", "0")],
  ["a chunk longer than its size", chunks("5", "hello", "1", "abc", "0")],
  ["an extension with a bare LF", chunks("5", "hello", "5;a\nb", "hello", "0")],
  ["a trailer ended by a bare LF", chunks("5", "hello", "0", "X-A: 1\nX-B: 2")],
  ["a trailer with a NUL", chunks("5", "hello", "0", "X-A: \0")],
];

/** Complete responses with the body `hello`. */
const COMPLETE: [framing: string, bytes: string][] = [
  ["a Content-Length", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"],
  ["chunks", chunks("5", "hello", "0").join("\r\n")],
];

/** Sends `bytes` in response to the first request, and proper responses after that. */
function respondOnceWith(harness: Harness, bytes: string): void {
  let sent = false;
  harness.upstream.handle({
    request: ({ socket }) => {
      socket.write(
        sent ? "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nclean" : bytes,
        "latin1",
      );
      sent = true;
    },
  });
}

/** The connection with the bad bytes must not be reused. */
function checkNotReused(harness: Harness, count = 1): void {
  const [bad] = harness.upstream.connections;
  check(
    bad?.requests.length === count,
    "lax",
    () => `the connection was reused: ${quote(bad?.text ?? "")}`,
  );
}

async function askTwice(harness: Harness, bytes: string) {
  respondOnceWith(harness, bytes);
  const client = harness.connect().get("/first");
  const first = await harness.awaitResponses(client, ["GET"]);
  client.socket.destroy();
  const second = await harness.get("/second");
  check(
    second.status === 200 &&
      second.body === "clean" &&
      valuesIn(second.headers, "x-a").length === 0,
    "poisoned",
    () =>
      `the next client got ${second.status} ${JSON.stringify(second.headers)} ${quote(second.body)}`,
  );
  return first;
}

function unusable([name, lines]: Row): Case {
  return {
    name,
    run: async (harness) => {
      const first = await askTwice(harness, lines.join("\r\n"));
      const [answer] = first.responses;
      check(
        first.malformed === undefined,
        "poisoned",
        () => `the client got ${first.malformed ?? ""}`,
      );
      check(
        answer === undefined || answer.status >= 500,
        "lax",
        () => `answered ${answer?.status ?? 0} ${quote(answer?.body ?? "")}`,
      );
      check(answer?.status === 502, "wrong", () =>
        answer === undefined
          ? "closed without a response"
          : `answered ${answer.status}`,
      );
      checkNotReused(harness);
    },
  };
}

function badBody([name, lines]: Row): Case {
  return {
    name: `a body with ${name}`,
    run: async (harness) => {
      const first = await askTwice(harness, lines.join("\r\n"));
      const [answer] = first.responses;
      check(
        first.malformed === undefined,
        "poisoned",
        () => `the client got ${first.malformed ?? ""}`,
      );
      check(
        answer === undefined || answer.status === 502,
        "lax",
        () => `a complete response: ${quote(answer?.body ?? "")}`,
      );
      checkNotReused(harness);
    },
  };
}

function followedBy(framing: string, bytes: string, tail: Row): Case {
  return {
    name: `${tail[0]} after a body with ${framing}`,
    run: async (harness) => {
      const first = await askTwice(harness, bytes + tail[1].join("\r\n"));
      const [answer] = first.responses;
      check(
        first.rest === "" && first.responses.length === 1,
        "poisoned",
        () => `the client got more: ${quote(first.rest)}`,
      );
      // Rejecting the response is as safe as forwarding it without the bytes that follow.
      check(
        answer?.body === "hello" || answer?.status === 502,
        "wrong",
        () => `answered ${answer?.status ?? 0} ${quote(answer?.body ?? "")}`,
      );
      checkNotReused(harness);
    },
  };
}

const TAILS: Row[] = [
  ["garbage", ["GARBAGE", "", ""]],
  ["another response", [POISON]],
  ["half a response", ["HTTP/1.1 200 OK", "X-A:"]],
  ["an empty line", ["", ""]],
];

/** Bytes on an idle connection. */
function onIdle(name: string, bytes: string): Case {
  return {
    name,
    run: async (harness) => {
      await harness.get("/before");
      const [idle] = harness.upstream.connections;
      idle?.socket.write(bytes);
      await harness.until(
        "the poisoned connection to close",
        () => idle?.socket.destroyed === true,
        { kind: "poisoned", ms: 1500 },
      );
      const after = await harness.get("/after");
      check(
        after.body === "GET /after 0",
        "poisoned",
        () => `the next client got ${quote(after.body)}`,
      );
    },
  };
}

/** The unsolicited response and the next request cross: the request must not get it. */
async function poisonCrossesRequest(harness: Harness): Promise<void> {
  for (let turn = 0; turn < 20; turn++) {
    await harness.get(`/before/${turn}`);
    for (const { socket } of harness.upstream.connections)
      if (!socket.destroyed) socket.write(POISON);
    const answer = await harness.get(`/after/${turn}`);
    check(
      answer.body !== "poison",
      "poisoned",
      `request ${turn}: the next client got the poison`,
    );
  }
}

/** A body after the response to a HEAD belongs to no request. */
async function headWithBody(harness: Harness): Promise<void> {
  respondOnceWith(
    harness,
    "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison",
  );
  const client = harness.connect().send("HEAD / HTTP/1.1", "Host: x", "", "");
  const view = await harness.awaitResponses(client, ["HEAD"]);
  check(
    view.rest === "",
    "poisoned",
    () => `bytes after it: ${quote(view.rest)}`,
  );
  const [first] = view.responses;
  check(
    first?.status === 200 || first?.status === 502,
    "wrong",
    () => `answered ${first?.status ?? 0}`,
  );
  const next = await harness.get("/next");
  check(next.body === "clean", "poisoned", () => `next: ${quote(next.body)}`);
  checkNotReused(harness);
}

function bodilessWithBody(status: string): Case {
  return {
    name: `a body after a ${status}`,
    run: async (harness) => {
      const first = await askTwice(
        harness,
        `HTTP/1.1 ${status} X\r\nContent-Length: 46\r\n\r\n${POISON}`,
      );
      check(
        first.rest === "",
        "poisoned",
        () => `bytes after it: ${quote(first.rest)}`,
      );
      checkNotReused(harness);
    },
  };
}

export const RESPONSES: CaseGroup[] = [
  {
    title: "responses that cannot be forwarded",
    cases: UNUSABLE.map(unusable),
  },
  { title: "responses with a malformed body", cases: BAD_BODIES.map(badBody) },
  {
    title: "bytes that belong to no response",
    cases: [
      ...COMPLETE.flatMap(([framing, bytes]) =>
        TAILS.map((tail) => followedBy(framing, bytes, tail)),
      ),
      onIdle("garbage on an idle connection", "GARBAGE\r\n\r\n"),
      onIdle("a response on an idle connection", POISON),
      onIdle("a CRLF on an idle connection", "\r\n"),
      {
        name: "a response that crosses the next request",
        run: poisonCrossesRequest,
      },
      { name: "a body after the response to a HEAD", run: headWithBody },
      bodilessWithBody("204"),
      bodilessWithBody("304"),
    ],
  },
];
