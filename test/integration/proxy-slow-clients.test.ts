import { expect } from "chai";
import { startNamedBackend } from "../support/backend.js";
import { startTestProxy } from "../support/test-proxy.js";

describe("proxy slow clients", () => {
  for (const [name, bytes] of [
    ["whose head never ends", "GET / HTTP/1.1\r\nHost: x\r\nX-Slow: "],
    ["that says nothing at all", ""],
  ] as const) {
    it(`answers 408 to a client ${name}, and closes`, async () => {
      const prod = await startNamedBackend("prod");
      const proxy = await startTestProxy({ prod });
      expect(proxy.service.server.headersTimeout).to.equal(10_000);
      proxy.service.server.headersTimeout = 100;
      const client = proxy.connect().send(bytes);
      expect(await client.response()).to.include({ status: 408 });
      await client.closed();
      expect(prod.accepted()).to.equal(0);
    });
  }

  it("gives an upload all the time it takes", async () => {
    const prod = await startNamedBackend("prod");
    const proxy = await startTestProxy({ prod });
    expect(proxy.service.server.requestTimeout).to.equal(0);
  });
});
