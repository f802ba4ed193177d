import { expect } from "chai";
import {
  startBackend,
  startNamedBackend,
  startRawBackend,
} from "../../support/http/backend.js";
import { describeEngines } from "../../support/http/engines.js";
import { startTestProxy } from "../../support/programs/test-proxy.js";

const HOST = "Host: shop.example";
const CHUNKED = "Transfer-Encoding: chunked";

describeEngines("proxy refused requests", () => {
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
    const prod = await startRawBackend(() => undefined);
    const proxy = await startTestProxy({ prod });
    const client = proxy
      .connect()
      .send("CONNECT 10.0.0.1:22 HTTP/1.1", HOST, "", "SSH-2.0-x");
    expect(await client.response()).to.include({ status: 405 });
    await client.closed();
    expect(prod.accepted()).to.equal(0);
  });
});
