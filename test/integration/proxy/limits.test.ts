import { expect } from "chai";
import {
  startNamedBackend,
  startRawBackend,
} from "../../support/http/backend.js";
import { describeEngines } from "../../support/http/engines.js";
import { startTestProxy } from "../../support/programs/test-proxy.js";
import { waitFor } from "../../support/wait-for.js";

describeEngines("proxy limits", () => {
  it("answers 503 with Retry-After beyond MAX_CONNECTIONS, and closes the connection", async () => {
    const prod = await startNamedBackend("prod");
    const proxy = await startTestProxy({ prod, maxConnections: 2 });
    const served = [proxy.connect().get("/1"), proxy.connect().get("/2")];
    for (const client of served)
      expect(await client.response()).to.include({ status: 200 });

    const excess = proxy.connect().get("/3").get("/4");
    const answer = await excess.response();
    expect(answer).to.include({ status: 503 });
    expect(answer.all("retry-after")).to.deep.equal(["1"]);
    expect(answer.all("connection")).to.deep.equal(["close"]);
    expect(await excess.closed()).to.equal("ended");
    expect(excess.unread).to.equal("");
    expect(await served[0]!.get("/5").response()).to.include({ status: 200 });
    expect(prod.seen).to.have.members(["/1", "/2", "/5"]);
  });

  it("serves a connection beyond the limit once another has ended", async () => {
    const prod = await startNamedBackend("prod");
    const proxy = await startTestProxy({ prod, maxConnections: 1 });
    const first = proxy.connect().get("/first");
    await first.response();
    const second = proxy.connect();
    const open = () =>
      new Promise<number>((resolve) =>
        proxy.service.server.getConnections((_err, count) => resolve(count)),
      );
    await waitFor("both", async () => (await open()) === 2);
    first.socket.destroy();
    await waitFor("the first one's end", async () => (await open()) === 1);
    expect(await second.get("/second").response()).to.include({ status: 200 });
  });

  it("answers 431 to a request head beyond MAX_HEADER_BYTES", async () => {
    const prod = await startNamedBackend("prod");
    const proxy = await startTestProxy({ prod, maxHeaderBytes: 2000 });
    const fits = proxy.connect().get("/", `X-A: ${"a".repeat(1000)}`);
    expect(await fits.response()).to.include({ status: 200 });
    const large = proxy.connect().get("/", `X-A: ${"a".repeat(2000)}`);
    expect(await large.response()).to.include({ status: 431 });
    expect(prod.seen).to.have.length(1);
  });

  it("answers 502 to a response head beyond MAX_HEADER_BYTES", async () => {
    const prod = await startRawBackend(({ socket, received }) => {
      const size = received.includes("/large") ? 2000 : 1000;
      const head = `HTTP/1.1 200 OK\r\nX-A: ${"a".repeat(size)}\r\n`;
      socket.write(`${head}Content-Length: 2\r\n\r\nok`);
    });
    const proxy = await startTestProxy({ prod, maxHeaderBytes: 2000 });
    const client = proxy.connect().get("/fits");
    expect(await client.response()).to.include({ status: 200 });
    client.get("/large");
    expect(await client.response()).to.include({ status: 502 });
  });
});
