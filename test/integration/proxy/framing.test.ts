import { expect } from "chai";
import { startBackend, startRawBackend } from "../../support/http/backend.js";
import { describeEngines } from "../../support/http/engines.js";
import { startTestProxy } from "../../support/programs/test-proxy.js";

/** Answers every request with the same bytes. */
function startFixed(...lines: string[]) {
  return startRawBackend(({ socket }) => socket.write(lines.join("\r\n")));
}

/** Answers with the request that it received. */
function startEchoing() {
  return startBackend((request, response) => request.pipe(response));
}

describeEngines("proxy response framing", () => {
  it("keeps a HEAD's Content-Length and sends no body", async () => {
    const prod = await startFixed(
      "HTTP/1.1 200 OK",
      "Content-Length: 5",
      "",
      "",
    );
    const proxy = await startTestProxy({ prod });
    for (let turn = 0; turn < 2; turn++) {
      const client = proxy.connect().send("HEAD / HTTP/1.1", "Host: x", "", "");
      const answer = await client.response({ head: true });
      expect(answer.all("content-length")).to.deep.equal(["5"]);
      expect(client.unread).to.equal("");
    }
    expect(prod.accepted()).to.equal(1);
  });

  it("adds no framing to a HEAD's response without a Content-Length", async () => {
    const prod = await startFixed("HTTP/1.1 200 OK", "X-A: 1", "", "");
    const proxy = await startTestProxy({ prod });
    const client = proxy.connect().send("HEAD / HTTP/1.1", "Host: x", "", "");
    const answer = await client.response({ head: true });
    expect(answer.all("content-length")).to.deep.equal([]);
    expect(answer.all("transfer-encoding")).to.deep.equal([]);
  });

  for (const [status, headers] of [
    ["204 No Content", []],
    ["304 Not Modified", ["ETag: x"]],
    ["304 Not Modified", ["Content-Length: 5"]],
  ] as const) {
    it(`relays ${[status, ...headers].join(" with ")} without a body, and serves the next request`, async () => {
      const prod = await startFixed(`HTTP/1.1 ${status}`, ...headers, "", "");
      const proxy = await startTestProxy({ prod });
      const client = proxy.connect().get("/1");
      const answer = await client.response();
      expect(`${answer.status} ${answer.reason}`).to.equal(status);
      expect(answer.all("transfer-encoding")).to.deep.equal([]);
      expect(client.unread).to.equal("");
      client.get("/2");
      expect((await client.response()).status).to.equal(answer.status);
      expect(prod.accepted()).to.equal(1);
    });
  }

  it("relays an empty body as an empty body", async () => {
    const prod = await startFixed(
      "HTTP/1.1 200 OK",
      "Content-Length: 0",
      "",
      "",
    );
    const proxy = await startTestProxy({ prod });
    const answer = await proxy.connect().get("/").response();
    expect(answer.all("content-length")).to.deep.equal(["0"]);
    expect(answer.body).to.equal("");
  });

  it("relays chunks and drops trailers", async () => {
    const prod = await startFixed(
      ...[
        "HTTP/1.1 200 OK",
        "Transfer-Encoding: chunked",
        "Trailer: X-Sum",
        "",
      ],
      ...["5", "hello", "6;ext=1", " world", "0", "X-Sum: 1", "", ""],
    );
    const proxy = await startTestProxy({ prod });
    const client = proxy.connect();
    for (let turn = 0; turn < 2; turn++) {
      const answer = await client.get("/").response();
      expect(answer).to.include({ body: "hello world", chunked: true });
      expect(answer.all("trailer")).to.deep.equal([]);
    }
    expect(prod.accepted()).to.equal(1);
  });

  it("chunks a body that is delimited by the upstream's close", async () => {
    const prod = await startRawBackend(({ socket }) =>
      socket.end("HTTP/1.0 200 OK\r\n\r\nhello"),
    );
    const proxy = await startTestProxy({ prod });
    const answer = await proxy.connect().get("/").response();
    expect(answer).to.include({ body: "hello", chunked: true });
  });

  it("sends an HTTP/1.0 client no chunks", async () => {
    const prod = await startFixed(
      ...["HTTP/1.1 200 OK", "Transfer-Encoding: chunked", ""],
      ...["5", "hello", "0", "", ""],
    );
    const proxy = await startTestProxy({ prod });
    const client = proxy.connect().send("GET / HTTP/1.0", "Host: x", "", "");
    expect(await client.closed()).to.equal("ended");
    const answer = await client.response();
    expect(answer).to.include({ body: "hello", chunked: false });
  });
});

describeEngines("proxy request framing", () => {
  it("forwards a chunked body in chunks and drops its trailers", async () => {
    const prod = await startEchoing();
    const proxy = await startTestProxy({ prod });
    const client = proxy.connect();
    client.send(
      ...["POST / HTTP/1.1", "Host: x", "Transfer-Encoding: chunked"],
      ...[
        "Trailer: X-Sum",
        "",
        "5",
        "hello",
        "1",
        "!",
        "0",
        "X-Sum: 1",
        "",
        "",
      ],
    );
    expect(await client.response()).to.include({ status: 200, body: "hello!" });
  });

  it("survives a GET that announces trailers", async () => {
    const prod = await startEchoing();
    const proxy = await startTestProxy({ prod });
    const client = proxy.connect().get("/", "Trailer: x", "TE: trailers");
    expect(await client.response()).to.include({ status: 200 });
  });

  it("forwards an empty POST as an empty POST", async () => {
    const prod = await startFixed(
      "HTTP/1.1 200 OK",
      "Content-Length: 0",
      "",
      "",
    );
    const proxy = await startTestProxy({ prod });
    const client = proxy.connect();
    await client.send("POST / HTTP/1.1", "Host: x", "", "").response();
    expect(prod.connections[0]!.received)
      .to.match(/^content-length: 0\r$/im)
      .and.not.match(/transfer-encoding/i);
  });

  it("adds a Host for the upstream to an HTTP/1.0 request without one", async () => {
    const prod = await startFixed(
      "HTTP/1.1 200 OK",
      "Content-Length: 0",
      "",
      "",
    );
    const proxy = await startTestProxy({ prod });
    await proxy.connect().send("GET / HTTP/1.0", "", "").response();
    expect(prod.connections[0]!.received).to.match(
      /^host: 127\.0\.0\.1:\d+\r$/im,
    );
  });
});
