import { expect } from "chai";
import {
  startNamedBackend,
  startRawBackend,
  type RawConnection,
} from "../../support/http/backend.js";
import { describeEngines } from "../../support/http/engines.js";
import { createKeepAliveAgent, send } from "../../support/http/http-client.js";
import { startTestProxy } from "../../support/programs/test-proxy.js";
import { waitFor } from "../../support/wait-for.js";

function answer({ socket, index }: RawConnection, header = ""): void {
  const body = `connection ${index}`;
  const head = `HTTP/1.1 200 OK\r\n${header}Content-Length: ${body.length}`;
  socket.write(`${head}\r\n\r\n${body}`);
}

/**
 * Answers a connection's first request and closes it at the second one, as if its idle time ended just then.
 *
 * @param firstWave the connections that must have arrived before the first is answered
 */
function startRacing(firstWave = 1) {
  const waiting: RawConnection[] = [];
  const served = new Set<RawConnection>();
  return startRawBackend((connection) => {
    const { socket, index } = connection;
    if (!served.has(connection)) waiting.push(connection);
    else socket.resetAndDestroy();
    if (index + 1 < firstWave) return;
    for (const ready of waiting.splice(0)) {
      served.add(ready);
      answer(ready);
    }
  });
}

describeEngines("proxy kept-alive upstream connections", () => {
  it("repeats a GET on a fresh connection when the reused one closes, without an error", async () => {
    const canary = await startRacing();
    const prod = await startNamedBackend("prod");
    const proxy = await startTestProxy({ prod, canary, side: "canary" });
    expect((await send(proxy.port)).body.toString()).to.equal("connection 0");
    expect((await send(proxy.port)).body.toString()).to.equal("connection 1");
    expect(prod.seen).to.deep.equal([]);
    expect(proxy.counts().canary).to.deep.include({
      errors: 0,
      status: { 200: 2 },
    });
  });

  it("repeats it on a fresh connection, not on another kept one", async () => {
    const prod = await startRacing(2);
    const proxy = await startTestProxy({ prod });
    await Promise.all([send(proxy.port), send(proxy.port)]);
    expect(prod.accepted()).to.equal(2);
    expect((await send(proxy.port)).body.toString()).to.equal("connection 2");
  });

  it("does not reuse a connection beyond the upstream's Keep-Alive timeout", async () => {
    const prod = await startRawBackend((connection) =>
      answer(connection, "Keep-Alive: timeout=0\r\n"),
    );
    const proxy = await startTestProxy({ prod });
    await send(proxy.port);
    await send(proxy.port, { body: Buffer.from("order") });
    expect(prod.accepted()).to.equal(2);
  });

  it("closes an idle connection before the upstream's Keep-Alive timeout", async () => {
    const prod = await startRawBackend((connection) =>
      answer(connection, "Keep-Alive: timeout=1\r\n"),
    );
    const proxy = await startTestProxy({ prod });
    await send(proxy.port);
    await waitFor("the idle connection to end", () => prod.sockets.size === 0);
  });

  it("opens one connection for each concurrent request, and reuses them", async () => {
    const prod = await startNamedBackend("prod");
    const proxy = await startTestProxy({ prod });
    const agent = createKeepAliveAgent(20);
    const burst = () =>
      Promise.all(
        Array.from({ length: 20 }, () => send(proxy.port, { agent })),
      );
    await burst();
    const opened = prod.accepted();
    await burst();
    expect(prod.seen).to.have.length(40);
    expect(prod.accepted()).to.be.at.most(Math.max(opened, 20));
  });
});
