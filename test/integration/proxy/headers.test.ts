import { expect } from "chai";
import { startRawBackend } from "../../support/http/backend.js";
import { describeEngines } from "../../support/http/engines.js";
import { startTestProxy } from "../../support/programs/test-proxy.js";

const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/** The header lines of a request or response head, without its first line. */
function headerLines(head: string): string[] {
  return head.slice(0, head.indexOf("\r\n\r\n")).split("\r\n").slice(1);
}

describeEngines("proxy headers on the wire", () => {
  it("forwards end-to-end headers and its own, but no hop-by-hop headers", async () => {
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
    const lines = headerLines(prod.connections[0]!.received);
    const [id] = lines.filter((line) => line.startsWith("x-request-id: "));
    expect(id).to.match(/^x-request-id: [\da-f-]{36}$/);
    expect(lines.filter((line) => line !== id)).to.have.members([
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

  it("relays any number of response headers", async () => {
    const many = Array.from({ length: 1500 }, (_, i) => `a${i}:`);
    const last = ["Set-Cookie: last=1", "Content-Length: 2"];
    const head = ["HTTP/1.1 200 OK", ...many, ...last, "", ""];
    const prod = await startRawBackend(({ socket }) =>
      socket.write(`${head.join("\r\n")}ok`),
    );
    const proxy = await startTestProxy({ prod });
    const answer = await proxy.connect().get("/").response();
    expect(answer).to.include({ status: 200, body: "ok", chunked: false });
    expect(answer.all("set-cookie")).to.deep.equal(["last=1"]);
    expect(answer.all("a1499")).to.have.length(1);
  });

  it("relays response headers with their order, case and repetition", async () => {
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

  // The UTF-8 bytes, as latin1, of é, of a character beyond latin1, and of two whose low bytes are CR and LF.
  for (const name of ["\xc3\xa9", "\xe6\x97\xa5", "\xc4\x8d\xc4\x8aX: 1"]) {
    const disposition = `Content-Disposition: attachment; filename="${name}"`;

    for (const path of ["/", "//"])
      it(`forwards the bytes of ${JSON.stringify(disposition)} after a Content-Length to ${path}`, async () => {
        const prod = await startRawBackend(({ socket, received }) => {
          if (received.endsWith("hello")) socket.write(OK);
        });
        const proxy = await startTestProxy({ prod });
        const client = proxy.connect();
        const length = "Content-Length: 5";
        client.send(`POST ${path} HTTP/1.1`, "Host: test", length, disposition);
        client.send("", "", "hello");
        expect((await client.response()).status).to.equal(200);
        const lines = headerLines(prod.connections[0]!.received);
        const wanted = disposition.toLowerCase();
        expect(lines.map((line) => line.toLowerCase())).to.include(wanted);
        expect(lines.filter((line) => line.startsWith("X"))).to.deep.equal([]);
      });

    it(`relays the bytes of ${JSON.stringify(disposition)} after a Content-Length`, async () => {
      const prod = await startRawBackend(({ socket }) =>
        socket.write(
          `HTTP/1.1 200 OK\r\nContent-Length: 2\r\n${disposition}\r\n\r\nok`,
          "latin1",
        ),
      );
      const proxy = await startTestProxy({ prod });
      const answer = await proxy.connect().get("/").response();
      expect(answer).to.include({ status: 200, body: "ok" });
      expect(answer.headers.map((header) => header.join(": "))).to.include(
        disposition,
      );
    });
  }

  for (const path of ["/x", "//x", "/?to=http://x"])
    it(`forwards headers named like an object's properties to ${path}`, async () => {
      const prod = await startRawBackend(({ socket }) => socket.write(OK));
      const proxy = await startTestProxy({ prod });
      const odd = ["constructor: 1", "toString: 3"];
      const answer = await proxy
        .connect()
        .get(path, "__proto__: 2", ...odd)
        .response();
      expect(answer.status).to.equal(200);
      const { received } = prod.connections[0]!;
      expect(received.startsWith(`GET ${path} HTTP/1.1`)).to.equal(true);
      const lines = headerLines(received).map((line) => line.toLowerCase());
      expect(lines).to.include.members(odd.map((line) => line.toLowerCase()));
    });
});
