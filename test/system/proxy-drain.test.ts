import { expect } from "chai";
import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { WebSocket, WebSocketServer } from "ws";
import { startBackend, startRawBackend } from "../support/http/backend.js";
import { onCleanup } from "../support/cleanup.js";
import {
  spawnProxyProgram,
  type ProxyProgram,
} from "../support/programs/proxy-program.js";
import { ClosedLoop } from "../support/system/closed-loop.js";
import { expectOrderlyLeave } from "../support/system/orderly-leave.js";
import { waitFor } from "../support/wait-for.js";

const CLIENTS = 24;
/** For tests in which nothing may wait for the drain's end. */
const LONG_DRAIN_MS = "30000";
const PROMPT_MS = 5000;

/** A proxy in front of a backend that holds every response back. */
async function startHolding(env: Record<string, string>) {
  const held: ServerResponse[] = [];
  const prod = await startBackend((_request, response) => {
    held.push(response);
  });
  const proxy = await spawnProxyProgram({
    PROD_URLS: prod.url.origin,
    SPLIT: "1:0",
    ...env,
  });
  const untilHeld = () => waitFor("a request upstream", () => held[0]);
  return { proxy, untilHeld };
}

async function untilStopping(proxy: ProxyProgram): Promise<void> {
  await waitFor("the stop to begin", () =>
    proxy.log.some(({ msg }) => msg === "stopping"),
  );
}

describe("proxy drain", () => {
  it("loses no request of clients that send back to back, and exits 0", async () => {
    const prod = await startBackend((_request, response) => {
      setTimeout(() => response.end("ok"), Math.random() * 10);
    });
    const proxy = await spawnProxyProgram({
      PROD_URLS: prod.url.origin,
      CANARY_URLS: prod.url.origin,
      DRAIN_MS: LONG_DRAIN_MS,
    });
    const clients = new ClosedLoop({
      port: proxy.port,
      path: "/",
      connections: CLIENTS,
    });
    onCleanup(() => clients.stop());
    await waitFor("load", () => clients.answers > 20 * CLIENTS);
    const stoppedAt = performance.now();
    proxy.child.kill("SIGTERM");
    await clients.done();
    expectOrderlyLeave(clients, { connections: CLIENTS, stoppedAt });
    expect(await proxy.exited).to.equal(0);
    expect(performance.now() - stoppedAt).to.be.below(PROMPT_MS);
    expect(proxy.stderr()).to.equal("");
  });

  it("finishes what is in flight, refuses new connections, and is no longer ready", async () => {
    const { proxy, untilHeld } = await startHolding({
      DRAIN_MS: LONG_DRAIN_MS,
    });
    const client = proxy.connect().get("/");
    const response = await untilHeld();
    proxy.child.kill("SIGTERM");
    await untilStopping(proxy);
    const late = proxy.connect().get("/late");
    expect(await late.closed()).to.equal("reset");
    const ready = await fetch(`http://127.0.0.1:${proxy.adminPort}/readyz`);
    expect(ready.status).to.equal(503);

    response.end("finished");
    const answer = await client.response();
    expect(answer).to.include({ status: 200, body: "finished" });
    expect(answer.all("connection")).to.deep.equal(["close"]);
    expect(await proxy.exited).to.equal(0);
  });

  it("gives up what is still in flight after DRAIN_MS, and exits 0", async () => {
    const { proxy, untilHeld } = await startHolding({ DRAIN_MS: "400" });
    const client = proxy.connect().get("/");
    await untilHeld();
    proxy.child.kill("SIGTERM");
    await client.closed();
    expect(await proxy.exited).to.equal(0);
  });

  it("ends at once on a second SIGTERM although a request hangs", async () => {
    const { proxy, untilHeld } = await startHolding({
      DRAIN_MS: LONG_DRAIN_MS,
    });
    proxy.connect().get("/");
    await untilHeld();
    proxy.child.kill("SIGTERM");
    await untilStopping(proxy);
    expect(proxy.child.exitCode).to.equal(null);
    const signalledAt = performance.now();
    proxy.child.kill("SIGTERM");
    expect(await proxy.exited).to.equal(143);
    expect(performance.now() - signalledAt).to.be.below(PROMPT_MS);
  });
});

describe("proxy drain of tunnels", () => {
  it("ends WebSockets in order, and exits 0", async () => {
    const prod = await startBackend((_request, response) => response.end());
    const server = new WebSocketServer({ server: prod.server });
    const proxy = await spawnProxyProgram({
      PROD_URLS: prod.url.origin,
      SPLIT: "1:0",
      DRAIN_MS: LONG_DRAIN_MS,
    });
    const sockets = Array.from({ length: 5 }, () => {
      const socket = new WebSocket(`ws://127.0.0.1:${proxy.port}/`);
      onCleanup(() => socket.terminate());
      return socket;
    });
    await Promise.all(sockets.map((socket) => once(socket, "open")));
    const closed = sockets.map((socket) => once(socket, "close"));
    const stoppedAt = performance.now();
    proxy.child.kill("SIGTERM");
    await Promise.all(closed);
    expect(await proxy.exited).to.equal(0);
    expect(performance.now() - stoppedAt).to.be.below(PROMPT_MS);
    expect(server.clients.size).to.equal(0);
  });

  const SWITCH =
    "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";

  /** A proxy with a handshake on its way to an upstream that answers when the test says so. */
  async function startHandshake(drainMs: string) {
    const prod = await startRawBackend(() => undefined);
    const proxy = await spawnProxyProgram({
      PROD_URLS: prod.url.origin,
      SPLIT: "1:0",
      DRAIN_MS: drainMs,
    });
    const client = proxy.connect();
    client.get("/chat", "Connection: Upgrade", "Upgrade: websocket");
    const { socket: upstream } = await prod.sees("\r\n\r\n");
    return { proxy, client, upstream };
  }

  it("cuts a tunnel off after DRAIN_MS whose peers do not end it", async () => {
    const { proxy, client, upstream } = await startHandshake("400");
    upstream.allowHalfOpen = true;
    upstream.write(SWITCH);
    await client.sees("\r\n\r\n");
    proxy.child.kill("SIGTERM");
    expect(await client.closed()).to.equal("ended");
    expect(client.socket.writable).to.equal(true);
    expect(await proxy.exited).to.equal(0);
  });

  it("ends a tunnel that is agreed to only while it drains", async () => {
    const { proxy, client, upstream } = await startHandshake(LONG_DRAIN_MS);
    proxy.child.kill("SIGTERM");
    await untilStopping(proxy);
    upstream.write(SWITCH);
    expect(await client.response()).to.include({ status: 101 });
    await client.closed();
    client.socket.end();
    expect(await proxy.exited).to.equal(0);
  });

  it("gives up a handshake that is not answered by DRAIN_MS", async () => {
    const { proxy, client } = await startHandshake("400");
    proxy.child.kill("SIGTERM");
    await client.closed();
    expect(await proxy.exited).to.equal(0);
  });
});
