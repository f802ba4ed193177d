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
 * @param options.firstWave the connections that must have arrived before the first is answered
 * @param options.lastWords the bytes sent before the close
 */
function startRacing(options: { firstWave?: number; lastWords?: string } = {}) {
  const { firstWave = 1, lastWords } = options;
  const waiting: RawConnection[] = [];
  const served = new Set<RawConnection>();
  return startRawBackend((connection) => {
    const { socket, index } = connection;
    if (!served.has(connection)) waiting.push(connection);
    else if (lastWords === undefined) socket.resetAndDestroy();
    else socket.end(lastWords);
    if (index + 1 < firstWave) return;
    for (const ready of waiting.splice(0)) {
      served.add(ready);
      answer(ready);
    }
  });
}

describeEngines("proxy kept-alive upstream connections", () => {
  it("carries sequential requests of many clients over one connection", async () => {
    const prod = await startNamedBackend("prod");
    const proxy = await startTestProxy({ prod });
    for (let i = 0; i < 20; i++) await send(proxy.port, { path: `/${i}` });
    expect(prod.seen).to.have.length(20);
    expect(prod.accepted()).to.equal(1);
  });

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
    const prod = await startRacing({ firstWave: 2 });
    const proxy = await startTestProxy({ prod });
    await Promise.all([send(proxy.port), send(proxy.port)]);
    expect(prod.accepted()).to.equal(2);
    expect((await send(proxy.port)).body.toString()).to.equal("connection 2");
  });

  it("does not repeat a GET whose response had begun", async () => {
    const prod = await startRacing({ lastWords: "HTTP/1.1 200 OK\r\nX-A" });
    const proxy = await startTestProxy({ prod });
    await send(proxy.port);
    expect((await send(proxy.port)).status).to.equal(502);
    expect(prod.accepted()).to.equal(1);
  });

  it("answers 502 to a POST when the reused connection closes, and does not repeat it", async () => {
    const prod = await startRacing();
    const proxy = await startTestProxy({ prod });
    await send(proxy.port);
    const post = await send(proxy.port, { body: Buffer.from("order") });
    expect(post.status).to.equal(502);
    expect(prod.accepted()).to.equal(1);
  });

  it("opens another connection for a POST after the upstream has closed the idle one", async () => {
    const prod = await startNamedBackend("prod");
    const proxy = await startTestProxy({ prod });
    await send(proxy.port);
    for (const cut of ["destroy", "resetAndDestroy"] as const) {
      for (const socket of prod.sockets) socket[cut]();
      await waitFor("the idle one to end", () => prod.sockets.size === 0);
      const post = await send(proxy.port, { body: Buffer.from("order") });
      expect(post.status).to.equal(200);
    }
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

  it("does not reuse a connection that the upstream asks to close", async () => {
    const prod = await startRawBackend((connection) =>
      answer(connection, "Connection: close\r\n"),
    );
    const proxy = await startTestProxy({ prod });
    await send(proxy.port);
    await send(proxy.port);
    expect(prod.accepted()).to.equal(2);
  });

  it("closes an idle connection when bytes arrive, which no client then sees", async () => {
    const prod = await startRawBackend((connection) => answer(connection));
    const proxy = await startTestProxy({ prod });
    await send(proxy.port);
    prod.connections[0]!.socket.write(
      "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison",
    );
    // Well before the idle limit.
    await waitFor("the end of it", () => prod.sockets.size === 0, 1000);
    expect((await send(proxy.port)).body.toString()).to.equal("connection 1");
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
