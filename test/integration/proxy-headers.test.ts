import { expect } from "chai";
import { startRawBackend } from "../support/backend.js";
import { describeEngines } from "../support/engines.js";
import { startTestProxy } from "../support/test-proxy.js";

const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/** The header lines of a request or response head, without its first line. */
function headerLines(head: string): string[] {
  return head.slice(0, head.indexOf("\r\n\r\n")).split("\r\n").slice(1);
}

describeEngines("proxy headers on the wire", () => {
  it("forwards end-to-end headers and its own, and nothing that was meant for one hop", async () => {
    const prod = await startRawBackend(({ socket }) => socket.write(OK));
    const proxy = await startTestProxy({ prod });
    const client = proxy
      .connect()
      .get(
        "/",
        ...["Accept: */*", "X-Twice: 1", "X-Twice: 2", "Cookie: a=1; b=2"],
        ...["Connection: keep-alive, X-Secret", "X-Secret: 1"],
        ...["Keep-Alive: timeout=5", "Proxy-Authorization: Basic eDp5"],
        ...["Proxy-Connection: keep-alive", "TE: trailers", "Trailer: x"],
        ...["X-Forwarded-For: 10.9.9.9", "X-Real-IP: 10.9.9.9"],
      );
    await client.response();
    expect(headerLines(prod.connections[0]!.received)).to.have.members([
      "Host: test",
      "Accept: */*",
      "X-Twice: 1",
      "X-Twice: 2",
      "Cookie: a=1; b=2",
      "x-forwarded-for: 127.0.0.1",
      "x-forwarded-proto: http",
      "x-forwarded-host: test",
      "Connection: keep-alive",
    ]);
  });

  it("keeps the claims of a trusted peer", async () => {
    const prod = await startRawBackend(({ socket }) => socket.write(OK));
    const proxy = await startTestProxy({
      prod,
      isTrusted: (address) => address === "127.0.0.1",
    });
    const client = proxy
      .connect()
      .get(
        "/",
        ...["X-Forwarded-For: 203.0.113.5", "X-Forwarded-For: 10.0.0.1"],
        ...["X-Forwarded-Proto: https", "X-Forwarded-Host: shop.example"],
      );
    await client.response();
    expect(headerLines(prod.connections[0]!.received)).to.include.members([
      "x-forwarded-for: 203.0.113.5, 10.0.0.1, 127.0.0.1",
      "x-forwarded-proto: https",
      "x-forwarded-host: shop.example",
    ]);
  });

  it("sends a response's headers on with their order, case and repetition", async () => {
    const kept = [
      "X-B: 1",
      "Set-Cookie: a=1",
      "x-A: caf\xe9",
      "Set-Cookie: b=2",
    ];
    const prod = await startRawBackend(({ socket }) =>
      socket.write(
        [
          ...["HTTP/1.1 200 Fine", "Date: today", ...kept, "Content-Length: 2"],
          ...["Connection: keep-alive, X-Secret", "X-Secret: 1"],
          ...["Keep-Alive: timeout=5", "Proxy-Authenticate: Basic"],
          ...["X-Served-By: 10.0.0.7", "", "ok"],
        ].join("\r\n"),
        "latin1",
      ),
    );
    const proxy = await startTestProxy({ prod });
    const answer = await proxy.connect().get("/").response();
    expect(answer).to.include({ status: 200, reason: "Fine", body: "ok" });
    const lines = answer.headers.map((header) => header.join(": "));
    expect(lines).to.deep.equal([
      ...["Date: today", ...kept, "Content-Length: 2", "x-served-by: prod"],
      ...["Keep-Alive: timeout=65", "Connection: keep-alive"],
    ]);
  });
});
