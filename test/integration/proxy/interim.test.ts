import { expect } from "chai";
import { startRawBackend } from "../../support/http/backend.js";
import { describeEngines } from "../../support/http/engines.js";
import { startTestProxy } from "../../support/programs/test-proxy.js";

const FINAL = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/** Sends interim responses and then the final one. */
function startHinting(...interim: string[]) {
  const bytes = `${[...interim, ""].join("\r\n\r\n")}${FINAL}`;
  return startRawBackend(({ socket }) => socket.write(bytes));
}

describeEngines("proxy interim responses", () => {
  it("relays 102 and early hints, each of several links", async () => {
    const prod = await startHinting(
      "HTTP/1.1 102 Processing",
      "HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload; as=style\r\nLink: </b.js>; rel=preload, </c.js>; rel=preload",
    );
    const proxy = await startTestProxy({ prod });
    const client = proxy.connect().get("/");
    expect(await client.response()).to.include({ status: 102 });
    const hints = await client.response();
    expect(hints).to.include({ status: 103 });
    expect(hints.all("link")).to.deep.equal([
      "</a.css>; rel=preload; as=style, </b.js>; rel=preload, </c.js>; rel=preload",
    ]);
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
});
