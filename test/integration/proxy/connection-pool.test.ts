import { expect } from "chai";
import { once } from "node:events";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { ConnectionPool } from "../../../apps/proxy/engines/http-proxy/agent.js";
import { connectUpstream } from "../../../apps/proxy/engines/upstream-socket.js";
import type { Upstream } from "../../../apps/proxy/engines/upstreams.js";
import { startRawBackend } from "../../support/http/backend.js";
import { onCleanup } from "../../support/cleanup.js";
import { waitFor } from "../../support/wait-for.js";

/** Opens a pool for `port`. @returns a function that sends a GET over it and leaves the response unread */
function openPool(port: number) {
  const upstream: Upstream = {
    side: "prod",
    host: "127.0.0.1",
    port,
    name: `127.0.0.1:${port}`,
  };
  const limits = {
    connectTimeoutMs: 1000,
    responseTimeoutMs: 1000,
    maxHeaderBytes: 16_384,
  };
  const pool = new ConnectionPool(upstream, limits);
  onCleanup(() => pool.close());
  return async () => {
    const request = httpRequest({ host: upstream.host, port, agent: pool });
    request.end();
    const [response] = (await once(request, "response")) as [IncomingMessage];
    return response;
  };
}

describe("proxy connection pool", () => {
  it("drops a connection when bytes follow a response that is still being read", async () => {
    const backend = await startRawBackend(({ socket }) =>
      socket.write("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"),
    );
    const get = openPool(backend.port);
    const slow = await get();
    await waitFor("the whole response", () => slow.complete);
    backend.connections[0]!.socket.write("HTTP/1.1 200 OK\r\n");
    await waitFor("its end", () => backend.sockets.size === 0, 1000);
    expect((await slow.toArray()).join("")).to.equal("hello");
    (await get()).resume();
    expect(backend.accepted()).to.equal(2);
  });

  it("reuses the connection that was used last", async () => {
    const waiting: (() => unknown)[] = [];
    const backend = await startRawBackend(({ socket }) => {
      waiting.push(() =>
        socket.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
      );
      if (waiting.length === 1 && backend.accepted() === 1) return;
      for (const answer of waiting.splice(0)) answer();
    });
    const get = openPool(backend.port);
    const first = await Promise.all([get(), get()]);
    for (const response of first) await response.toArray();
    expect(backend.accepted()).to.equal(2);
    for (let i = 0; i < 3; i++) await (await get()).toArray();
    const pieces = backend.connections.map(
      ({ received }) => received.split("GET").length - 1,
    );
    expect(pieces).to.have.members([1, 4]);
  });
});

describe("proxy connection to an upstream", () => {
  it("is established even if the process pauses for longer than the timeout", async () => {
    const { port } = await startRawBackend(() => undefined);
    // The event loop runs timers after these.
    await new Promise(setImmediate);
    const socket = connectUpstream({ host: "127.0.0.1", port }, 50);
    onCleanup(() => void socket.destroy());
    // Like SIGSTOP: neither timers nor socket events run meanwhile.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200);
    await once(socket, "connect");
  });
  it("delivers what the upstream sent before a write fails, also after a pause", async () => {
    const backend = await startRawBackend(() => undefined);
    let received = "";
    const socket = connectUpstream(
      { host: "127.0.0.1", port: backend.port },
      1000,
      (bytes, length) => {
        received += bytes.toString("latin1", 0, length);
        return received !== "an";
      },
    );
    onCleanup(() => void socket.destroy());
    const failed = new Promise<Error>((resolve) => {
      socket.once("error", resolve);
    });
    await waitFor("the connection", () => backend.connections[0]);
    const { socket: peer } = backend.connections[0]!;
    peer.write("an");
    await waitFor("the pause", () => received === "an");
    peer.write("swer");
    peer.resetAndDestroy();
    socket.write("more");
    await new Promise(setImmediate);
    socket.resume();
    expect(await failed).to.include({ syscall: "write" });
    expect(received).to.equal("answer");
  });
});
