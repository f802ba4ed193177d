import { expect } from "chai";
import { startBackend, startRawBackend } from "../../support/http/backend.js";
import { describeEngines } from "../../support/http/engines.js";
import { startTestProxy } from "../../support/programs/test-proxy.js";

const FINAL = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/** Sends interim responses and then the final one. */
function startHinting(...interim: string[]) {
  const bytes = `${[...interim, ""].join("\r\n\r\n")}${FINAL}`;
  return startRawBackend(({ socket }) => socket.write(bytes));
}

describeEngines("proxy interim responses", () => {
  it("relays early hints, each of several links", async () => {
    const prod = await startHinting(
      "HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload; as=style\r\nLink: </b.js>; rel=preload, </c.js>; rel=preload",
    );
    const proxy = await startTestProxy({ prod });
    const client = proxy.connect().get("/");
    const hints = await client.response();
    expect(hints).to.include({ status: 103 });
    expect(hints.all("link")).to.deep.equal([
      "</a.css>; rel=preload; as=style, </b.js>; rel=preload, </c.js>; rel=preload",
    ]);
    expect(await client.response()).to.include({ status: 200, body: "ok" });
  });

  it("relays 102", async () => {
    const prod = await startHinting("HTTP/1.1 102 Processing");
    const proxy = await startTestProxy({ prod });
    const client = proxy.connect().get("/");
    expect(await client.response()).to.include({ status: 102 });
    expect(await client.response()).to.include({ status: 200, body: "ok" });
  });

  it("drops hints that are malformed, without links or unknown, and nothing else", async () => {
    const prod = await startHinting(
      "HTTP/1.1 103 Early Hints\r\nLink: nonsense",
      "HTTP/1.1 103 Early Hints\r\nX-A: 1",
      "HTTP/1.1 100 Continue",
      "HTTP/1.1 199 Odd\r\nLink: </a.css>; rel=preload",
    );
    const proxy = await startTestProxy({ prod });
    const client = proxy.connect().get("/");
    expect(await client.response()).to.include({ status: 200, body: "ok" });
  });

  it("sends an HTTP/1.0 client only the final response", async () => {
    const prod = await startHinting(
      "HTTP/1.1 102 Processing",
      "HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload",
    );
    const proxy = await startTestProxy({ prod });
    const client = proxy.connect().send("GET / HTTP/1.0", "Host: x", "", "");
    expect(await client.response()).to.include({ status: 200, body: "ok" });
  });

  it("lets prod answer after the canary's hints when the canary then fails", async () => {
    const canary = await startRawBackend(({ socket }) =>
      socket.end("HTTP/1.1 103 Early\r\nLink: </a.css>; rel=preload\r\n\r\n"),
    );
    const prod = await startHinting();
    const proxy = await startTestProxy({ prod, canary, side: "canary" });
    const client = proxy.connect().get("/");
    expect(await client.response()).to.include({ status: 103 });
    expect(await client.response()).to.include({ status: 200, body: "ok" });
  });

  it("answers Expect: 100-continue itself", async () => {
    const prod = await startBackend((request, response) => {
      response.setHeader("x-expect", request.headers.expect ?? "none");
      request.pipe(response);
    });
    const proxy = await startTestProxy({ prod });
    const client = proxy
      .connect()
      .send("POST / HTTP/1.1", "Host: x", "Content-Length: 4")
      .send("", "Expect: 100-continue", "", "");
    expect(await client.response()).to.include({ status: 100 });
    client.send("body");
    const answer = await client.response();
    expect(answer).to.include({ status: 200, body: "body" });
    expect(answer.all("x-expect")).to.deep.equal(["none"]);
  });

  it("answers 417 to any other expectation", async () => {
    const prod = await startHinting();
    const proxy = await startTestProxy({ prod });
    const client = proxy.connect().get("/", "Expect: the-unexpected");
    expect(await client.response()).to.include({ status: 417 });
    expect(prod.accepted()).to.equal(0);
  });
});
