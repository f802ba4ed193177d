import { check, type Case, type CaseGroup } from "./case.js";
import { quote, type ClientView, type Harness } from "./harness.js";
import { valuesIn, type FramedResponse } from "./strict-http.js";

const FINAL = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const HINTS = "HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n";

interface Row {
  name: string;
  method?: string;
  version?: string;
  /** What the upstream sends; its connection stays open unless `ends`. */
  upstream: string;
  ends?: boolean;
  /** The acceptable statuses at the client, interim ones first, separated by spaces. */
  statuses: string[];
  body?: string;
  judge?: (final: FramedResponse, view: ClientView) => void;
}

function hasNoFraming({ headers }: FramedResponse): void {
  check(
    valuesIn(headers, "transfer-encoding").length === 0,
    "wrong",
    "the proxy added a framing header",
  );
}

function keepsLength(length: string): (final: FramedResponse) => void {
  return ({ headers }) =>
    check(
      valuesIn(headers, "content-length").join() === length,
      "wrong",
      () => `Content-Length: ${valuesIn(headers, "content-length").join()}`,
    );
}

function hasFraming(
  ...wanted: FramedResponse["framing"][]
): (final: FramedResponse) => void {
  return ({ framing }) =>
    check(wanted.includes(framing), "wrong", `framed by ${framing}`);
}

const CHUNKED = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n";

const INTERIM: Row[] = [
  {
    name: "103 reaches the client",
    upstream: HINTS + FINAL,
    statuses: ["103 200"],
    body: "ok",
  },
  {
    name: "three 103 all reach the client",
    upstream: HINTS.repeat(3) + FINAL,
    statuses: ["103 103 103 200"],
    body: "ok",
  },
  {
    name: "102 may reach the client",
    upstream: `HTTP/1.1 102 Processing\r\n\r\n${FINAL}`,
    statuses: ["102 200", "200"],
    body: "ok",
  },
  {
    name: "an unexpected 100 is harmless",
    upstream: `HTTP/1.1 100 Continue\r\n\r\n${FINAL}`,
    statuses: ["200", "100 200"],
    body: "ok",
  },
  {
    name: "an unknown 1xx is harmless",
    upstream: `HTTP/1.1 199 Odd\r\nX-A: 1\r\n\r\n${FINAL}`,
    statuses: ["200", "199 200"],
    body: "ok",
  },
  {
    name: "a 1xx with a Content-Length has no body",
    upstream: `HTTP/1.1 103 Early Hints\r\nContent-Length: 5\r\n\r\n${FINAL}`,
    statuses: ["200", "103 200", "502"],
  },
  {
    name: "an HTTP/1.0 client gets no 1xx",
    version: "1.0",
    upstream: HINTS + FINAL,
    statuses: ["200"],
    body: "ok",
  },
  {
    name: "a 103 before the response to a HEAD",
    method: "HEAD",
    upstream: `${HINTS}HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n`,
    statuses: ["103 200", "200"],
  },
];

const BODILESS: Row[] = [
  {
    name: "the Content-Length in a response to HEAD is kept",
    method: "HEAD",
    upstream: "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
    statuses: ["200"],
    judge: keepsLength("5"),
  },
  {
    name: "a Content-Length of 8 GB in a response to HEAD is kept",
    method: "HEAD",
    upstream: "HTTP/1.1 200 OK\r\nContent-Length: 8589934592\r\n\r\n",
    statuses: ["200"],
    judge: keepsLength("8589934592"),
  },
  {
    name: "a Transfer-Encoding in a response to HEAD has no body",
    method: "HEAD",
    upstream: `${CHUNKED}\r\n`,
    statuses: ["200"],
  },
  {
    name: "a response to HEAD without a length gets none",
    method: "HEAD",
    upstream: "HTTP/1.1 200 OK\r\nX-A: 1\r\n\r\n",
    statuses: ["200"],
    judge: hasNoFraming,
  },
  {
    name: "204 has no body and loses its Content-Length",
    upstream: "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n",
    statuses: ["204"],
  },
  {
    name: "204 has no body and no framing",
    upstream: "HTTP/1.1 204 No Content\r\n\r\n",
    statuses: ["204"],
    judge: hasNoFraming,
  },
  {
    name: "304 has no body",
    upstream: 'HTTP/1.1 304 Not Modified\r\nETag: "x"\r\n\r\n',
    statuses: ["304"],
    judge: hasNoFraming,
  },
  {
    name: "304 keeps its Content-Length",
    upstream: "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n",
    statuses: ["304"],
    judge: keepsLength("5"),
  },
  {
    name: "304 with Transfer-Encoding has no body",
    upstream: "HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n",
    statuses: ["304", "502"],
  },
  {
    name: "205 with an empty body",
    upstream: "HTTP/1.1 205 Reset Content\r\nContent-Length: 0\r\n\r\n",
    statuses: ["205"],
    body: "",
  },
  {
    name: "an empty body",
    upstream: "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    statuses: ["200"],
    body: "",
  },
  {
    name: "an empty chunked body",
    upstream: `${CHUNKED}\r\n0\r\n\r\n`,
    statuses: ["200"],
    body: "",
  },
];

const BODIES: Row[] = [
  {
    name: "chunks with extensions",
    upstream: `${CHUNKED}\r\n5;a=b\r\nhello\r\n6;c;d="e;f"\r\n world\r\n0;z\r\n\r\n`,
    statuses: ["200"],
    body: "hello world",
  },
  {
    name: "chunk sizes in upper and lower case, with leading zeros",
    upstream: `${CHUNKED}\r\n00a\r\n0123456789\r\nA\r\n0123456789\r\n000\r\n\r\n`,
    statuses: ["200"],
    body: "01234567890123456789",
  },
  {
    name: "announced trailers",
    upstream: `${CHUNKED}Trailer: X-Sum\r\n\r\n5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n`,
    statuses: ["200"],
    body: "hello",
  },
  {
    name: "unannounced trailers",
    upstream: `${CHUNKED}\r\n5\r\nhello\r\n0\r\nX-Sum: 1\r\nX-Other: 2\r\n\r\n`,
    statuses: ["200"],
    body: "hello",
  },
  {
    name: "trailers with framing headers",
    upstream: `${CHUNKED}\r\n5\r\nhello\r\n0\r\nContent-Length: 40\r\nTransfer-Encoding: gzip\r\n\r\n`,
    statuses: ["200", "502", ""],
    judge: ({ headers }) =>
      check(
        valuesIn(headers, "content-length").length === 0,
        "poisoned",
        "a trailer became a header",
      ),
  },
  {
    name: "a body delimited by the end of the connection",
    upstream: "HTTP/1.1 200 OK\r\n\r\nhello",
    ends: true,
    statuses: ["200"],
    body: "hello",
  },
  {
    name: "an HTTP/1.0 response",
    upstream: "HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    statuses: ["200"],
    body: "hello",
  },
  {
    name: "an HTTP/1.0 response delimited by the end of the connection",
    upstream: "HTTP/1.0 200 OK\r\n\r\nhello",
    ends: true,
    statuses: ["200"],
    body: "hello",
  },
  {
    name: "a chunked response for an HTTP/1.0 client is sent without chunks",
    version: "1.0",
    upstream: `${CHUNKED}\r\n5\r\nhello\r\n0\r\n\r\n`,
    statuses: ["200"],
    body: "hello",
    judge: hasFraming("end", "length"),
  },
  {
    name: "a head of 100 headers",
    upstream: `HTTP/1.1 200 OK\r\n${"X-A: 1\r\n".repeat(100)}Content-Length: 2\r\n\r\nok`,
    statuses: ["200"],
    body: "ok",
  },
  {
    name: "an empty reason phrase",
    upstream: "HTTP/1.1 200 \r\nContent-Length: 2\r\n\r\nok",
    statuses: ["200"],
    body: "ok",
  },
  {
    name: "an unknown status",
    upstream: "HTTP/1.1 299 Odd\r\nContent-Length: 2\r\n\r\nok",
    statuses: ["299"],
    body: "ok",
  },
  {
    name: "hop-by-hop headers are removed",
    upstream:
      "HTTP/1.1 200 OK\r\nConnection: keep-alive, X-Secret\r\nX-Secret: 1\r\nProxy-Connection: x\r\nUpgrade: h2\r\nContent-Length: 2\r\n\r\nok",
    statuses: ["200"],
    body: "ok",
    judge: ({ headers }) => {
      for (const name of ["x-secret", "proxy-connection", "upgrade"])
        check(
          valuesIn(headers, name).length === 0,
          "wrong",
          `${name} was forwarded`,
        );
    },
  },
  {
    name: "repeated headers are kept separate and in order",
    upstream:
      "HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nX-A: 1\r\nSet-Cookie: b=2\r\nX-A: 2\r\nContent-Length: 2\r\n\r\nok",
    statuses: ["200"],
    body: "ok",
    judge: ({ headers }) => {
      const kept = headers.filter(([name]) => /^(set-cookie|x-a)$/i.test(name));
      const values = kept.map(([, value]) => value).join();
      check(values === "a=1,1,b=2,2", "wrong", `headers: ${values}`);
    },
  },
];

function framed(row: Row, split: boolean): Case {
  const name = split ? `${row.name}, byte by byte` : row.name;
  return { name, run: (harness) => runFramed(harness, row, split) };
}

async function runFramed(harness: Harness, row: Row, split: boolean) {
  const { method = "GET", version = "1.1" } = row;
  let sent = false;
  harness.upstream.handle({
    request: ({ socket }) => {
      const bytes = sent ? FINAL : row.upstream;
      const isFirst = !sent;
      sent = true;
      for (const piece of split ? bytes.split("") : [bytes])
        socket.write(piece, "latin1");
      if (isFirst && row.ends === true) socket.end();
    },
  });
  const client = harness.connect();
  client.send(`${method} / HTTP/${version}`, "Host: x", "", "");
  const view = await harness.awaitResponses(client, [method]);
  const statuses = view.responses.map(({ status }) => status).join(" ");
  check(
    view.malformed === undefined && row.statuses.includes(statuses),
    view.malformed === undefined ? "wrong" : "poisoned",
    () =>
      `the client got ${view.malformed ?? statuses} in ${quote(client.unread)}`,
  );
  const final = view.responses.at(-1);
  if (final === undefined || final.status === 502) return;
  check(
    row.body === undefined || final.body === row.body,
    "wrong",
    () => `the body was ${quote(final.body)}`,
  );
  row.judge?.(final, view);
  check(
    view.rest === "",
    "poisoned",
    () => `bytes after the response: ${quote(view.rest)}`,
  );
  if (version === "1.0" || view.ending !== undefined) return;
  client.get("/next");
  const both = await harness.awaitResponses(client, [method, "GET"]);
  check(
    both.responses.at(-1)?.body === "ok" || both.ending !== undefined,
    "poisoned",
    () => `the next response: ${quote(client.unread)}`,
  );
}

async function survivesManyInterims(harness: Harness): Promise<void> {
  harness.upstream.handle({
    request: ({ socket }) => {
      socket.write("HTTP/1.1 199 Odd\r\n\r\n".repeat(50_000) + FINAL);
    },
  });
  const client = harness.connect().get("/");
  const view = await harness.awaitResponses(client, ["GET"]);
  check(
    view.responses.length > 0,
    "wrong",
    () => `the client got ${view.malformed ?? ""}`,
  );
}

async function answersContinue(harness: Harness): Promise<void> {
  const client = harness.connect();
  client.send("POST /e HTTP/1.1", "Host: x", "Content-Length: 4");
  client.send("", "Expect: 100-continue", "", "");
  await harness.until("100 Continue", () => client.unread.includes("\r\n\r\n"));
  check(client.unread.startsWith("HTTP/1.1 100 "), "wrong", () =>
    quote(client.unread),
  );
  client.send("body");
  const view = await harness.awaitResponses(client, ["POST"]);
  check(view.responses.at(-1)?.body === "POST /e 4", "wrong", () =>
    quote(client.unread),
  );
}

async function rejectsOtherExpectations(harness: Harness): Promise<void> {
  const client = harness.connect().get("/", "Expect: the-unexpected");
  const view = await harness.awaitResponses(client, ["GET"]);
  const status = view.responses[0]?.status ?? 0;
  check(status === 417, "lax", `answered ${status}`);
}

export const FRAMING: CaseGroup[] = [
  {
    title: "interim responses",
    cases: [
      ...INTERIM.map((row) => framed(row, false)),
      { name: "50,000 interim responses", run: survivesManyInterims },
      {
        name: "Expect: 100-continue is answered with 100",
        run: answersContinue,
      },
      {
        name: "any other expectation is answered with 417",
        run: rejectsOtherExpectations,
      },
    ],
  },
  {
    title: "responses without a body",
    cases: BODILESS.map((row) => framed(row, false)),
  },
  {
    title: "bodies and trailers",
    cases: BODIES.flatMap((row) => [framed(row, false), framed(row, true)]),
  },
];
