import { check, type Case, type Chapter } from "./case.js";
import { quote, type Stage } from "./stage.js";
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

/** What an upstream might say that cannot be passed on, or that two readers could take differently. */
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
  ["a Content-Length that is no number", ok("Content-Length: 5x")],
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
  ["a status that does not exist", ["HTTP/1.1 099 Odd", LENGTH, "", "hello"]],
  ["a status of two digits", ["HTTP/1.1 20 OK", LENGTH, "", "hello"]],
  ["a status of four digits", ["HTTP/1.1 2000 OK", LENGTH, "", "hello"]],
  ["a status that is no number", ["HTTP/1.1 OK", LENGTH, "", "hello"]],
  ["HTTP/2.0", ["HTTP/2.0 200 OK", LENGTH, "", "hello"]],
  ["another protocol", ["SSH-2.0-OpenSSH_9.2", ""]],
  [
    "a control character in its reason phrase",
    ["HTTP/1.1 200 O\x01K", LENGTH, "", "hello"],
  ],
  [
    "a coding that would have to be undone",
    ok("Transfer-Encoding: gzip, chunked", "", "5"),
  ],
  ["a coding without an end", ok("Transfer-Encoding: gzip")],
  [
    "chunked twice",
    ["HTTP/1.1 200 OK", "Transfer-Encoding: chunked, chunked", "", "0", "", ""],
  ],
  [
    "chunked not being the last coding",
    ok("Transfer-Encoding: chunked, identity"),
  ],
  [
    "an upgrade that nobody asked for",
    ["HTTP/1.1 101 Switching", "Connection: upgrade", "Upgrade: x", "", ""],
  ],
  [
    "an upgrade that its Connection does not name",
    ["HTTP/1.1 101 Switching", "Upgrade: x", "", ""],
  ],
];

/** The head is in order and what follows it goes bad: too late for a 502. */
const BAD_BODIES: Row[] = [
  ["a chunk size that is no number", chunks("5", "hello", "xyz")],
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

/** Whole responses, and what must reach the client of them. */
const WHOLE: [framing: string, bytes: string][] = [
  ["a Content-Length", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"],
  ["chunks", chunks("5", "hello", "0").join("\r\n")],
];

/** Plays `bytes` on the first connection that carries a request, and proper answers on all later requests. */
function playOnce(stage: Stage, bytes: string): void {
  let played = false;
  stage.upstream.play({
    request: ({ socket }) => {
      socket.write(
        played ? "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nclean" : bytes,
        "latin1",
      );
      played = true;
    },
  });
}

/** The connection that the bad bytes came on has carried one request and will carry no other. */
function checkAbandoned(stage: Stage, count = 1): void {
  const [bad] = stage.upstream.connections;
  check(
    bad?.requests.length === count,
    "lax",
    () => `the connection was used again: ${quote(bad?.text ?? "")}`,
  );
}

async function askTwice(stage: Stage, bytes: string) {
  playOnce(stage, bytes);
  const client = stage.connect().get("/first");
  const first = await stage.answers(client, ["GET"]);
  client.socket.destroy();
  const second = await stage.get("/second");
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
    run: async (stage) => {
      const first = await askTwice(stage, lines.join("\r\n"));
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
          ? "closed without an answer"
          : `answered ${answer.status}`,
      );
      checkAbandoned(stage);
    },
  };
}

function badBody([name, lines]: Row): Case {
  return {
    name: `a body with ${name}`,
    run: async (stage) => {
      const first = await askTwice(stage, lines.join("\r\n"));
      const [answer] = first.responses;
      check(
        first.malformed === undefined,
        "poisoned",
        () => `the client got ${first.malformed ?? ""}`,
      );
      check(
        answer === undefined || answer.status === 502,
        "lax",
        () => `a whole answer: ${quote(answer?.body ?? "")}`,
      );
      checkAbandoned(stage);
    },
  };
}

function behind(framing: string, bytes: string, tail: Row): Case {
  return {
    name: `${tail[0]} behind a body with ${framing}`,
    run: async (stage) => {
      const first = await askTwice(stage, bytes + tail[1].join("\r\n"));
      const [answer] = first.responses;
      check(
        first.rest === "" && first.responses.length === 1,
        "poisoned",
        () => `the client got more: ${quote(first.rest)}`,
      );
      // Refusing the whole response is as safe as passing it on without what follows.
      check(
        answer?.body === "hello" || answer?.status === 502,
        "wrong",
        () => `answered ${answer?.status ?? 0} ${quote(answer?.body ?? "")}`,
      );
      checkAbandoned(stage);
    },
  };
}

const TAILS: Row[] = [
  ["garbage", ["GARBAGE", "", ""]],
  ["another response", [POISON]],
  ["half a response", ["HTTP/1.1 200 OK", "X-A:"]],
  ["an empty line", ["", ""]],
];

/** Bytes on a connection that waits for its next request. */
function onIdle(name: string, bytes: string): Case {
  return {
    name,
    run: async (stage) => {
      await stage.get("/before");
      const [kept] = stage.upstream.connections;
      kept?.socket.write(bytes);
      await stage.until(
        "the poisoned connection to end",
        () => kept?.socket.destroyed === true,
        { kind: "poisoned", ms: 1500 },
      );
      const after = await stage.get("/after");
      check(
        after.body === "GET /after 0",
        "poisoned",
        () => `the next client got ${quote(after.body)}`,
      );
    },
  };
}

/** The poison and the next request cross: the request must not be answered by it. */
async function poisonAsItIsUsed(stage: Stage): Promise<void> {
  for (let turn = 0; turn < 20; turn++) {
    await stage.get(`/before/${turn}`);
    for (const { socket } of stage.upstream.connections)
      if (!socket.destroyed) socket.write(POISON);
    const answer = await stage.get(`/after/${turn}`);
    check(
      answer.body !== "poison",
      "poisoned",
      `turn ${turn}: the next client got the poison`,
    );
  }
}

/** A GET that is answered before its request is whole may leave the rest of the request behind. */
async function headWithBody(stage: Stage): Promise<void> {
  playOnce(stage, "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison");
  const client = stage.connect().send("HEAD / HTTP/1.1", "Host: x", "", "");
  const view = await stage.answers(client, ["HEAD"]);
  check(view.rest === "", "poisoned", () => `behind it: ${quote(view.rest)}`);
  const [first] = view.responses;
  check(
    first?.status === 200 || first?.status === 502,
    "wrong",
    () => `answered ${first?.status ?? 0}`,
  );
  const next = await stage.get("/next");
  check(next.body === "clean", "poisoned", () => `next: ${quote(next.body)}`);
  checkAbandoned(stage);
}

function bodilessWithBody(status: string): Case {
  return {
    name: `a body behind a ${status}`,
    run: async (stage) => {
      const first = await askTwice(
        stage,
        `HTTP/1.1 ${status} X\r\nContent-Length: 46\r\n\r\n${POISON}`,
      );
      check(
        first.rest === "",
        "poisoned",
        () => `behind: ${quote(first.rest)}`,
      );
      checkAbandoned(stage);
    },
  };
}

export const RESPONSES: Chapter[] = [
  {
    title: "responses that cannot be passed on",
    cases: UNUSABLE.map(unusable),
  },
  { title: "responses whose body goes bad", cases: BAD_BODIES.map(badBody) },
  {
    title: "bytes that belong to no response",
    cases: [
      ...WHOLE.flatMap(([framing, bytes]) =>
        TAILS.map((tail) => behind(framing, bytes, tail)),
      ),
      onIdle("garbage on an idle connection", "GARBAGE\r\n\r\n"),
      onIdle("a response on an idle connection", POISON),
      onIdle("a line end on an idle connection", "\r\n"),
      {
        name: "a response that crosses the next request",
        run: poisonAsItIsUsed,
      },
      { name: "a body behind the answer to a HEAD", run: headWithBody },
      bodilessWithBody("204"),
      bodilessWithBody("304"),
    ],
  },
];
