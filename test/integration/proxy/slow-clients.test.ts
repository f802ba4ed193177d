import { readFile } from "node:fs/promises";
import { expect } from "chai";
import { startBackend, startNamedBackend } from "../../support/http/backend.js";
import { describeEngines } from "../../support/http/engines.js";
import { startTestProxy } from "../../support/programs/test-proxy.js";
import { waitFor } from "../../support/wait-for.js";

/** The code of a keep-alive timer in /proc/net/tcp (Linux, Documentation/networking/proc_net_tcp.rst). */
const KEEP_ALIVE_TIMER = "02";

/** The kernel's timer for a connection on loopback. */
async function timerOf(
  port: number,
  peerPort: number,
): Promise<string | undefined> {
  const table = await readFile("/proc/net/tcp", "utf8");
  const end = (number: number) =>
    `0100007F:${number.toString(16).toUpperCase().padStart(4, "0")}`;
  const row = table
    .split("\n")
    .find((line) => line.includes(`${end(port)} ${end(peerPort)} `));
  return row?.trim().split(/\s+/)[5]?.split(":")[0];
}

describeEngines("proxy slow clients", () => {
  for (const [name, bytes] of [
    ["whose head never ends", "GET / HTTP/1.1\r\nHost: x\r\nX-Slow: "],
    ["that says nothing at all", ""],
  ] as const) {
    it(`answers 408 to a client ${name}, and closes`, async () => {
      const prod = await startNamedBackend("prod");
      const proxy = await startTestProxy({ prod, headersTimeoutMs: 100 });
      const client = proxy.connect().send(bytes);
      expect(await client.response()).to.include({ status: 408 });
      await client.closed();
      expect(prod.accepted()).to.equal(0);
    });
  }

  it("answers 408 to a body that never ends, closes, and ends the upstream request", async () => {
    const prod = await startBackend(({ socket }) => {
      socket.on("error", () => socket.destroy());
    });
    const proxy = await startTestProxy({
      prod,
      headersTimeoutMs: 100,
      requestTimeoutMs: 200,
      // The proxy waits for the client, not the upstream.
      responseMs: 50,
    });
    const client = proxy
      .connect()
      .send("POST / HTTP/1.1", "Host: x", "Content-Length: 9", "", "part");
    expect(await client.response()).to.include({ status: 408 });
    await client.closed();
    await waitFor("the upstream's end", () => prod.sockets.size === 0, 1000);
    expect(proxy.counts().prod.status).to.deep.equal({ 499: 1 });
  });

  it("has the kernel probe silent clients", async () => {
    const prod = await startNamedBackend("prod");
    const proxy = await startTestProxy({ prod });
    const client = proxy.connect().get("/");
    expect(await client.response()).to.include({ status: 200 });
    const { localPort } = client.socket;
    expect(await timerOf(proxy.port, localPort!)).to.equal(KEEP_ALIVE_TIMER);
  });

  it("does not limit an upload's time when REQUEST_TIMEOUT_MS is 0", async () => {
    const prod = await startNamedBackend("prod");
    const proxy = await startTestProxy({ prod, requestTimeoutMs: 0 });
    expect(proxy.service.server.requestTimeout).to.equal(0);
  });
});
