import { expect } from "chai";
import {
  startBackend,
  startNamedBackend,
  startRawBackend,
} from "../../support/http/backend.js";
import { describeEngines } from "../../support/http/engines.js";
import { startTestProxy } from "../../support/programs/test-proxy.js";
import { waitFor } from "../../support/wait-for.js";

const HOST = "Host: shop.example";
const CHUNKED = "Transfer-Encoding: chunked";
const SMUGGLED = ["GET /smuggled HTTP/1.1", HOST, "", ""];

/** Requests that two servers could read differently, and their status. */
const MALFORMED: [name: string, status: number, lines: string[]][] = [
  [
    "Content-Length beside Transfer-Encoding",
    400,
    ["POST / HTTP/1.1", HOST, "Content-Length: 5", CHUNKED, "", "0", "", ""],
  ],
  [
    "Transfer-Encoding beside Content-Length",
    400,
    ["POST / HTTP/1.1", HOST, CHUNKED, "Content-Length: 5", "", "0", "", ""],
  ],
  [
    "two different Content-Lengths",
    400,
    [
      "POST / HTTP/1.1",
      HOST,
      "Content-Length: 0",
      "Content-Length: 44",
      "",
      "",
    ],
  ],
  [
    "the same Content-Length twice",
    400,
    ["POST / HTTP/1.1", HOST, "Content-Length: 0", "Content-Length: 0", "", ""],
  ],
  ["a list of Content-Lengths", 400, post("Content-Length: 0, 44")],
  ["a Content-Length with a sign", 400, post("Content-Length: +0")],
  ["a negative Content-Length", 400, post("Content-Length: -1")],
  ["a hexadecimal Content-Length", 400, post("Content-Length: 0x0")],
  ["an obs-fold", 400, post("X-A: 1", " Content-Length: 44")],
  [
    "an obs-folded Transfer-Encoding",
    400,
    post("Transfer-Encoding:", " chunked"),
  ],
  ["a chunk size that is no number", 400, post(CHUNKED, "", "xyz", "0")],
  ["a negative chunk size", 400, post(CHUNKED, "", "-1", "0")],
  ["a chunk longer than its size", 400, post(CHUNKED, "", "1", "abc", "0")],
  ["a chunk size ended by a bare LF", 400, post(CHUNKED, "", "1\na", "0")],
  ["a second Host", 400, post("Host: admin.internal")],
  ["a space before the colon", 400, post("Content-Length : 44")],
  ["a NUL in a header", 400, post("X-A: a\0b")],
  ["a bare CR in a header", 400, post("X-A: a\rContent-Length: 44")],
  ["a header ended by a bare LF", 400, post("X-A: a\nContent-Length: 44")],
  ["a header name with a forbidden character", 400, post("X(A): 1")],
  ["an unknown Transfer-Encoding", 501, post("Transfer-Encoding: xchunked")],
  [
    "chunked not being the last Transfer-Encoding",
    400,
    post("Transfer-Encoding: chunked, identity"),
  ],
  ["no Host", 400, ["GET / HTTP/1.1", "", ""]],
  ["no HTTP at all", 400, ["\x16\x03\x01\x02\0", "", ""]],
  ["a method that does not exist", 400, ["STEAL / HTTP/1.1", HOST, "", ""]],
  [
    "Transfer-Encoding on HTTP/1.0",
    400,
    ["POST / HTTP/1.0", HOST, CHUNKED, "", "0", "", ""],
  ],
  [
    "another coding before chunked",
    501,
    post("Transfer-Encoding: gzip, chunked", "", "0"),
  ],
  ["chunked twice", 400, post("Transfer-Encoding: chunked, chunked", "", "0")],
  ["chunked on two lines", 400, post(CHUNKED, CHUNKED, "", "0")],
];

function post(...lines: string[]): string[] {
  return ["POST / HTTP/1.1", HOST, ...lines, "", ""];
}

/** Treats any bytes as requests and answers each piece. */
function startLenient() {
  return startRawBackend(({ socket }) =>
    socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"),
  );
}

describeEngines("proxy malformed requests", () => {
  for (const [name, status, lines] of MALFORMED) {
    it(`answers ${status} to ${name}, closes, and forwards nothing that follows`, async () => {
      const prod = await startLenient();
      const proxy = await startTestProxy({ prod });
      const client = proxy.connect();
      client.send(lines.join("\r\n") + SMUGGLED.join("\r\n"));
      expect(await client.response()).to.include({ status });
      await client.closed();
      expect(client.unread).to.equal("");
      for (const { received } of prod.connections) {
        expect(received).to.not.include("smuggled");
        // The beginning of a malformed body may have been sent, but never its end.
        expect(received).to.not.match(/\r\n0\r\n\r\n|content-length/i);
      }
    });
  }

  for (const [name, refused] of [
    ["of two Hosts", ["GET / HTTP/1.1", "Host: a", "Host: b", "", ""]],
    ["of a Host with a space", ["GET / HTTP/1.1", "Host: a b", "", ""]],
    ["of a Host with a path", ["GET / HTTP/1.1", "Host: a/b", "", ""]],
    ["of a Host with a user", ["GET / HTTP/1.1", "Host: u@a", "", ""]],
    ["of no Host", ["GET / HTTP/1.1", "", ""]],
  ] as const)
    it(`forwards nothing after a request refused because ${name}, even during an earlier response`, async () => {
      const seen: string[] = [];
      let answerFirst = () => undefined as unknown;
      const prod = await startBackend((request, response) => {
        seen.push(request.url!);
        answerFirst = () => response.end("first");
      });
      const proxy = await startTestProxy({ prod });
      const client = proxy
        .connect()
        .get("/first")
        .send(...refused);
      client.send(...SMUGGLED).send(...SMUGGLED);
      await waitFor("the first request", () => seen.length > 0);
      answerFirst();
      expect(await client.response()).to.include({
        status: 200,
        body: "first",
      });
      expect(await client.response()).to.include({ status: 400 });
      await client.closed();
      expect(seen).to.deep.equal(["/first"]);
    });

  it("cuts the connection when a body turns malformed after its response has begun", async () => {
    const prod = await startBackend((request, response) => {
      request.on("error", () => undefined).pipe(response);
    });
    const proxy = await startTestProxy({ prod });
    const client = proxy.connect();
    client.send("POST / HTTP/1.1", HOST, CHUNKED, "", "4", "ping", "");
    await client.sees("ping");
    client.send("xyz", "", "");
    await client.closed();
    expect(client.unread).to.match(/^HTTP\/1\.1 200 OK\r\n/);
    expect(client.unread).to.match(/\r\n4\r\nping\r\n$/);
  });

  it("answers 431 to headers that are too large", async () => {
    const prod = await startNamedBackend("prod");
    const proxy = await startTestProxy({ prod });
    const client = proxy.connect().get("/", `X-Large: ${"a".repeat(20_000)}`);
    expect(await client.response()).to.include({ status: 431 });
    expect(await client.closed()).to.equal("ended");
    expect(prod.seen).to.deep.equal([]);
  });

  it("answers 405 to CONNECT and opens no tunnel", async () => {
    const prod = await startLenient();
    const proxy = await startTestProxy({ prod });
    const client = proxy
      .connect()
      .send("CONNECT 10.0.0.1:22 HTTP/1.1", HOST, "", "SSH-2.0-x");
    expect(await client.response()).to.include({ status: 405 });
    await client.closed();
    expect(prod.accepted()).to.equal(0);
  });

  it("reads the framing after thousands of headers", async () => {
    // Not a Node server: newer versions refuse that many.
    const prod = await startRawBackend(({ socket, received }) => {
      const [head = "", body] = received.split("\r\n\r\n");
      if (head.includes("\r\nContent-Length: 4\r\n") && body === "body")
        socket.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    });
    const proxy = await startTestProxy({ prod });
    const many = Array.from({ length: 2500 }, () => "a:");
    const client = proxy.connect();
    client.send(
      "POST / HTTP/1.1",
      HOST,
      ...many,
      "Content-Length: 4",
      "",
      "body",
    );
    expect((await client.response()).status).to.equal(200);
  });
});

describeEngines("proxy against CVE-2026-29057", () => {
  for (const method of ["DELETE", "OPTIONS", "GET", "POST"]) {
    it(`forwards a chunked ${method}'s body as a body, even if it looks like a request`, async () => {
      const seen: [method: string, url: string, body: string][] = [];
      const prod = await startBackend((request, response) => {
        let body = "";
        request.on("data", (chunk: Buffer) => (body += chunk.toString()));
        request.once("end", () => {
          seen.push([request.method!, request.url!, body]);
          response.end();
        });
      });
      const proxy = await startTestProxy({ prod });
      const smuggled = SMUGGLED.join("\r\n");
      const client = proxy
        .connect()
        .send(
          ...[`${method} /carrier HTTP/1.1`, HOST, CHUNKED, ""],
          ...[smuggled.length.toString(16), smuggled, "0", "", ""],
        );
      expect(await client.response()).to.include({ status: 200 });
      client.get("/next");
      expect(await client.response()).to.include({ status: 200 });
      expect(seen).to.deep.equal([
        [method, "/carrier", smuggled],
        ["GET", "/next", ""],
      ]);
      expect(prod.accepted()).to.equal(1);
    });
  }

  it("forwards a DELETE's body with a Content-Length as a body", async () => {
    const prod = await startLenient();
    const proxy = await startTestProxy({ prod });
    const client = proxy
      .connect()
      .send("DELETE / HTTP/1.1", HOST, "Content-Length: 4", "", "body");
    await client.response();
    const { received } = await prod.sees("body");
    expect(received).to.match(/^content-length: 4\r$/im);
    expect(received).to.not.match(/transfer-encoding/i);
  });
});
