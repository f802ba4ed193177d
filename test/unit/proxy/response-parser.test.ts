import { expect } from "chai";
import { BadResponseError } from "../../../apps/proxy/http/response-head.js";
import {
  ResponseParser,
  type ResponsePart,
} from "../../../apps/proxy/http/response-parser.js";

const MAX_HEAD_BYTES = 1000;

function createParser(answersHead = false): ResponseParser {
  return new ResponseParser({ answersHead, maxHeadBytes: MAX_HEAD_BYTES });
}

interface Read {
  status: number | undefined;
  reason: string | undefined;
  rawHeaders: string[] | undefined;
  keepAlive: boolean | undefined;
  interim: number[];
  body: string;
  ended: boolean;
  excess: boolean;
}

/**
 * Joins the results of all pieces. Bytes of a piece are copied before the next piece. Each piece is followed by stale bytes
 * in its buffer, as in a buffer that is reused for reads.
 */
function read(pieces: readonly string[], parser = createParser()): Read {
  const parts: (Omit<ResponsePart, "body"> & { body: string })[] = [];
  for (const piece of pieces) {
    const bytes = Buffer.from(`${piece}left`, "latin1");
    const part = parser.push(bytes, piece.length);
    const body = Buffer.concat(part.body).toString("latin1") + part.text;
    bytes.fill("!");
    parts.push({ ...part, body });
  }
  const head = parts.find((part) => part.head !== undefined)?.head;
  return {
    status: head?.status,
    reason: head?.reason,
    rawHeaders: head?.rawHeaders,
    keepAlive: head?.keepAlive,
    interim: parts.flatMap(({ interim }) => interim.map((it) => it.status)),
    body: parts.map(({ body }) => body).join(""),
    ended: parts.some(({ ended }) => ended),
    excess: parts.some(({ excess }) => excess),
  };
}

function response(...lines: string[]): string {
  return lines.join("\r\n");
}

const WITH_LENGTH = response(
  ...["HTTP/1.1 200 OK", "Content-Length: 5", "X-A: 1", "", "hello"],
);
const IN_CHUNKS = response(
  ...["HTTP/1.1 200 OK", "Transfer-Encoding: chunked", ""],
  ...["5", "hello", "00A;name=value", " wide worl", "1", "d"],
  ...["0", "X-Sum: 1", "", ""],
);
const HINTED = response(
  ...["HTTP/1.1 103 Early Hints", "Link: </a>", ""],
  ...["HTTP/1.1 100 Continue", ""],
  ...["HTTP/1.1 200 OK", "Content-Length: 2", "", "ok"],
);

describe("proxy response parser", () => {
  it("reads a response with a Content-Length", () =>
    expect(read([WITH_LENGTH])).to.deep.equal({
      status: 200,
      reason: "OK",
      rawHeaders: ["Content-Length", "5", "X-A", "1"],
      keepAlive: true,
      interim: [],
      body: "hello",
      ended: true,
      excess: false,
    }));

  it("reads chunks and drops extensions and trailers", () =>
    expect(read([IN_CHUNKS])).to.include({
      body: "hello wide world",
      keepAlive: true,
      ended: true,
      excess: false,
    }));

  it("distinguishes interim responses from the final one", () =>
    expect(read([HINTED])).to.deep.include({
      interim: [103, 100],
      status: 200,
      body: "ok",
      ended: true,
    }));

  for (const [name, bytes] of Object.entries({
    WITH_LENGTH,
    IN_CHUNKS,
    HINTED,
  })) {
    it(`reads ${name} the same in two pieces, wherever it is cut`, () => {
      const whole = read([bytes]);
      for (let cut = 0; cut <= bytes.length; cut++)
        expect(
          read([bytes.slice(0, cut), bytes.slice(cut)]),
          String(cut),
        ).to.deep.equal(whole);
    });

    it(`reads ${name} the same byte by byte`, () =>
      expect(read(Array.from(bytes))).to.deep.equal(read([bytes])));

    it(`does not complete ${name} before its last byte`, () =>
      expect(read([bytes.slice(0, -1)])).to.include({ ended: false }));

    for (const rest of ["x", "\r\n", bytes])
      it(`reports that ${JSON.stringify(rest.slice(0, 8))} follows ${name}`, () =>
        expect(read([bytes + rest])).to.deep.equal({
          ...read([bytes]),
          excess: true,
        }));
  }

  it("reads a body without a length until the connection ends", () => {
    const parser = createParser();
    const head = "HTTP/1.1 200 OK\r\nX-A: 1\r\n\r\n";
    const seen = read([head, "some", " body"], parser);
    expect(seen).to.include({
      body: "some body",
      ended: false,
      keepAlive: false,
    });
    expect(() => parser.finish()).to.not.throw();
  });

  for (const [name, bytes] of [
    ["nothing", ""],
    ["half a head", "HTTP/1.1 200 OK\r\nX-A"],
    ["only an interim response", "HTTP/1.1 100 Continue\r\n\r\n"],
    ["half a body", WITH_LENGTH.slice(0, -2)],
    ["chunks without the last", IN_CHUNKS.slice(0, 70)],
    ["chunks without the end of the trailers", IN_CHUNKS.slice(0, -2)],
  ] as const)
    it(`refuses a connection's end after ${name}`, () => {
      const parser = createParser();
      if (bytes !== "") read([bytes], parser);
      expect(() => parser.finish()).to.throw(BadResponseError);
    });

  for (const [name, head, answersHead] of [
    ["a HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 5", true],
    ["a HEAD in chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked", true],
    ["a HEAD without a length", "HTTP/1.1 200 OK\r\nX-A: 1", true],
    ["a 204", "HTTP/1.1 204 No Content", false],
    ["a 304 with a length", "HTTP/1.1 304 Not Modified\r\nETag: x", false],
    ["a 304", "HTTP/1.1 304 Not Modified\r\nContent-Length: 5", false],
  ] as const)
    it(`expects no body of ${name}, and keeps the connection`, () =>
      expect(read([`${head}\r\n\r\n`], createParser(answersHead))).to.include({
        body: "",
        ended: true,
        keepAlive: true,
        excess: false,
      }));

  for (const [connection, persistent10, persistent11] of [
    [undefined, false, true],
    ["close", false, false],
    ["Close", false, false],
    ["keep-alive", true, true],
    ["Keep-Alive", true, true],
    ["x, close", false, false],
    ["keep-alive, x", true, true],
    ["keep-alive, close", false, false],
    ["closed", false, true],
  ] as const)
    for (const [version, expected] of [
      ["1.0", persistent10],
      ["1.1", persistent11],
    ] as const)
      it(`${expected ? "keeps" : "ends"} an HTTP/${version} connection with Connection: ${connection ?? "none"}`, () => {
        const option =
          connection === undefined ? [] : [`Connection: ${connection}`];
        const bytes = response(
          ...[`HTTP/${version} 200 OK`, ...option, "Content-Length: 0", "", ""],
        );
        expect(read([bytes]).keepAlive).to.equal(expected);
      });

  it("joins several Connection lines", () => {
    const lines = ["Connection: x", "connection: close", "Content-Length: 0"];
    const bytes = response("HTTP/1.1 200 OK", ...lines, "", "");
    expect(read([bytes]).keepAlive).to.equal(false);
  });

  it("trims values and keeps blanks inside them", () => {
    const lines = ["A: \t 1 \t2\t ", "B:", "C:x:y", "D: caf\xe9", "E:\t"];
    const bytes = response("HTTP/1.1 204 Fine day", ...lines, "", "");
    expect(read([bytes])).to.deep.include({
      reason: "Fine day",
      rawHeaders: ["A", "1 \t2", "B", "", "C", "x:y", "D", "caf\xe9", "E", ""],
    });
  });

  for (const line of ["HTTP/1.1 200", "HTTP/1.1 200 "])
    it(`reads ${JSON.stringify(line)} as a status without a reason`, () =>
      expect(read([`${line}\r\nContent-Length: 0\r\n\r\n`])).to.include({
        status: 200,
        reason: "",
      }));

  it("accepts a head of exactly the byte limit", () => {
    const shell = response("HTTP/1.1 204 OK", "X-A: ", "", "");
    const fill = "a".repeat(MAX_HEAD_BYTES - shell.length);
    const bytes = shell.replace("X-A: ", `X-A: ${fill}`);
    expect(read([bytes]).status).to.equal(204);
    const larger = bytes.replace("X-A: ", "X-A: a");
    expect(() => read([larger])).to.throw(BadResponseError, "oversized");
    expect(() => read(Array.from(larger))).to.throw(BadResponseError);
  });

  it("decodes a whole body together with its head", () => {
    const { body, text } = createParser().push(Buffer.from(WITH_LENGTH));
    expect({ body, text }).to.deep.equal({ body: [], text: "hello" });
  });

  it("reads a body that is larger than the limit for heads", () => {
    const size = 5 * MAX_HEAD_BYTES;
    const head = `HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`;
    const { body, ended } = read([head + "x".repeat(size)]);
    expect(body.length).to.equal(size);
    expect(ended).to.equal(true);
  });
});

/** Each must be refused at its last byte, without waiting for more. */
const REFUSED: [name: string, bytes: string][] = [
  ["another protocol", "SSH-2.0"],
  ["an empty line first", "\r"],
  ["a lower-case protocol", "http"],
  ["HTTP/2", "HTTP/2"],
  ["HTTP/1.2", "HTTP/1.2 200 OK\r\n"],
  ["two spaces before the status", "HTTP/1.1  200 OK\r\n"],
  ["a status of two digits", "HTTP/1.1 20 OK\r\n"],
  ["a status of four digits", "HTTP/1.1 2000 OK\r\n"],
  ["a status below 100", "HTTP/1.1 099 OK\r\n"],
  ["a status line ended by LF", "HTTP/1.1 200 OK\n"],
  ["a tab after the status", "HTTP/1.1 200\tOK\r\n"],
  ["a control character in the reason", "HTTP/1.1 200 O\x01K\r\n"],
  ["a 101", "HTTP/1.1 101 Switching Protocols\r\n\r\n"],
  ["a header ended by LF", "HTTP/1.1 200 OK\r\nA: 1\n"],
  ["a bare CR in a value", head("A: 1\r2")],
  ["a NUL in a value", head("A: 1\x002")],
  ["a DEL in a value", head("A: 1\x7f2")],
  ["an obs-fold", head("A: 1", " 2")],
  ["an obs-fold by a tab", head("A: 1", "\t2")],
  ["a space before the first header", head(" A: 1")],
  ["a space before a colon", head("A : 1")],
  ["a space in a name", head("A B: 1")],
  ["no name", head(": 1")],
  ["no colon", head("A")],
  ["no colon, and one in the next line", head("A", "B: 1")],
  ["a name that is no token", head("A(: 1")],
  ["a name beyond ASCII", head("\xe9: 1")],
  ["a length that is no number", head("Content-Length: 5x")],
  ["a hexadecimal length", head("Content-Length: 0x5")],
  ["a signed length", head("Content-Length: +5")],
  ["a negative length", head("Content-Length: -5")],
  ["an empty length", head("Content-Length: ")],
  ["a list of lengths", head("Content-Length: 5, 5")],
  ["an inexact length", head("Content-Length: 9007199254740993")],
  ["the same length twice", head("Content-Length: 5", "content-length: 5")],
  ["two lengths", head("Content-Length: 5", "Content-Length: 6")],
  [
    "a length and chunks",
    head("Content-Length: 5", "Transfer-Encoding: chunked"),
  ],
  [
    "chunks and a length",
    head("Transfer-Encoding: chunked", "Content-Length: 5"),
  ],
  ["another coding", head("Transfer-Encoding: gzip, chunked")],
  ["chunks twice", head("Transfer-Encoding: chunked, chunked")],
  [
    "chunks on two lines",
    head("Transfer-Encoding: chunked", "Transfer-Encoding: chunked"),
  ],
  ["an empty coding", head("Transfer-Encoding:")],
  [
    "chunks on HTTP/1.0",
    "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
  ],
  ["no chunk size", chunks("\r\n")],
  ["a chunk size that is no number", chunks("x")],
  ["a signed chunk size", chunks("+")],
  ["a chunk size with a prefix", chunks("0x")],
  ["a space before a chunk size", chunks(" ")],
  ["a space after a chunk size", chunks("5 ")],
  ["an inexact chunk size", chunks("00000000000005")],
  ["a chunk size ended by LF", chunks("5\n")],
  ["a control character in a chunk extension", chunks("5;a\x01")],
  ["an endless chunk extension", chunks(`5;${"a".repeat(1024)}`)],
  ["a chunk longer than its size", chunks("5\r\nhello!")],
  ["a chunk ended by LF", chunks("5\r\nhello\n")],
  ["a chunk ended by CR only", chunks("5\r\nhello\r5")],
  ["a trailer that is none", chunks("0\r\nnonsense\r\n")],
  ["a trailer ended by LF", chunks("0\r\nA: 1\n")],
  ["a folded trailer", chunks("0\r\nA: 1\r\n 2\r\n")],
  ["endless trailers", chunks(`0\r\n${"A: 1\r\n".repeat(3000)}`)],
  ["an endless trailer", chunks(`0\r\nA: ${"1".repeat(16_384)}`)],
];

function head(...lines: string[]): string {
  return response("HTTP/1.1 200 OK", ...lines, "", "");
}

function chunks(bytes: string): string {
  return head("Transfer-Encoding: chunked") + bytes;
}

describe("proxy response parser refuses", () => {
  for (const [name, bytes] of REFUSED) {
    it(name, () => expect(() => read([bytes])).to.throw(BadResponseError));

    it(`${name}, byte by byte`, () =>
      expect(() => read(Array.from(bytes))).to.throw(BadResponseError));
  }

  it("a value of spaces and a NUL in linear time", () => {
    const parser = new ResponseParser({
      answersHead: false,
      maxHeadBytes: 1_000_000,
    });
    const before = process.cpuUsage();
    const spaces = " ".repeat(900_000);
    expect(() => read([head(`A:${spaces}\0`)], parser)).to.throw(
      BadResponseError,
    );
    const { user, system } = process.cpuUsage(before);
    expect((user + system) / 1000).to.be.below(1000);
  });
});
