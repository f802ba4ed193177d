import { expect } from "chai";
import {
  startRawBackend,
  type RawBackend,
} from "../../support/http/backend.js";
import { describeEngines } from "../../support/http/engines.js";
import type { RawClient } from "../../support/http/raw-client.js";
import { startTestProxy } from "../../support/programs/test-proxy.js";
import { waitFor } from "../../support/wait-for.js";

const SIZE = 4_000_000;
const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const TOO_LARGE =
  "HTTP/1.1 413 Payload Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nbig";

/** Handles the first connection's request with `first`, and answers every request on later ones. */
function startBackendThat(
  first: (socket: RawBackend["connections"][0]["socket"]) => void,
): Promise<RawBackend> {
  return startRawBackend(({ socket, index, received }) => {
    if (index > 0) socket.write(OK);
    else if (received.length < SIZE / 2) first(socket);
  });
}

function upload(client: RawClient): RawClient {
  const head = ["POST / HTTP/1.1", "Host: x", `Content-Length: ${SIZE}`, ""];
  return client.send(...head, "x".repeat(SIZE));
}

describeEngines("proxy answer before the upload is complete", () => {
  it("serves the client's next request when the upstream resets", async () => {
    const prod = await startBackendThat((socket) => socket.resetAndDestroy());
    const proxy = await startTestProxy({ prod });
    const client = upload(proxy.connect()).get("/next");
    expect(await client.response()).to.include({ status: 502 });
    expect(await client.response()).to.include({ status: 200, body: "ok" });
  });

  it("relays the upstream's early answer and serves the client's next request", async () => {
    const prod = await startBackendThat((socket) => {
      if (socket.writable) socket.end(TOO_LARGE);
    });
    const proxy = await startTestProxy({ prod });
    const client = upload(proxy.connect()).get("/next");
    expect(await client.response()).to.include({ status: 413, body: "big" });
    expect(await client.response()).to.include({ status: 200, body: "ok" });
  });

  for (const framing of [
    `Content-Length: ${SIZE}`,
    "Transfer-Encoding: chunked",
  ])
    it(`relays the answer of a canary that then resets the upload (${framing})`, async () => {
      const prod = await startRawBackend(() => undefined);
      const canary = await startBackendThat((socket) => {
        socket.write(TOO_LARGE);
        socket.resetAndDestroy();
      });
      const proxy = await startTestProxy({ prod, canary, side: "canary" });
      const client = proxy.connect();
      client.send("POST / HTTP/1.1", "Host: x", framing, "", "");
      if (framing.startsWith("T")) client.send(SIZE.toString(16), "");
      client.send("x".repeat(SIZE));
      expect(await client.response()).to.include({ status: 413, body: "big" });
      expect(proxy.counts().canary.status).to.deep.equal({ 413: 1 });
    });

  it("continues the upload to an upstream that answers and keeps reading", async () => {
    const prod = await startRawBackend(({ socket, received }) => {
      if (received.endsWith("first")) socket.write(OK);
    });
    const proxy = await startTestProxy({ prod });
    const client = proxy
      .connect()
      .send("POST / HTTP/1.1", "Host: x", "Content-Length: 11", "", "first");
    expect(await client.response()).to.include({ status: 200 });
    client.send("second").get("/next");
    expect(prod.connections).to.have.length(1);
    await prod.sees("firstsecond");
  });

  it("ends the upstream request when the client leaves during its upload", async () => {
    const prod = await startRawBackend(({ socket }) => socket.write(OK));
    const proxy = await startTestProxy({ prod });
    const client = proxy
      .connect()
      .send("POST / HTTP/1.1", "Host: x", "Content-Length: 11", "", "first");
    expect(await client.response()).to.include({ status: 200 });
    client.socket.destroy();
    await waitFor("the upstream's end", () => prod.sockets.size === 0, 1000);
  });
});
