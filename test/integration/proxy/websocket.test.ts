import { expect } from "chai";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { promisify } from "node:util";
import type { IncomingMessage } from "node:http";
import { WebSocket, WebSocketServer } from "ws";
import {
  startBackend,
  startNamedBackend,
  startRawBackend,
  type RawBackend,
} from "../../support/http/backend.js";
import { onCleanup } from "../../support/cleanup.js";
import { describeEngines } from "../../support/http/engines.js";
import type { RawClient } from "../../support/http/raw-client.js";
import { startTestProxy } from "../../support/programs/test-proxy.js";
import { settledValue } from "../../support/wait-for-settled.js";
import { waitFor } from "../../support/wait-for.js";

const SWITCH =
  "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";

/** More than all buffers on the way hold. */
const LARGE = Buffer.alloc(5_000_000, "x");

/** A WebSocket server that echoes each message. */
async function startEchoServer() {
  const seen: IncomingMessage[] = [];
  const backend = await startBackend((_request, response) => response.end());
  const server = new WebSocketServer({ server: backend.server });
  server.on("connection", (socket, request) => {
    seen.push(request);
    socket.on("message", (data, isBinary) =>
      socket.send(data, { binary: isBinary }),
    );
  });
  return { ...backend, seen, clients: server.clients };
}

async function openWebSocket(port: number) {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/chat?room=1`);
  onCleanup(() => socket.terminate());
  const upgraded = once(socket, "upgrade");
  await once(socket, "open");
  const [response] = (await upgraded) as [IncomingMessage];
  return { socket, servedBy: response.headers["x-served-by"] };
}

async function echo(socket: WebSocket, message: Buffer): Promise<Buffer> {
  const answered = once(socket, "message");
  socket.send(message);
  const [answer] = (await answered) as [Buffer];
  return answer;
}

function askForUpgrade(client: RawClient, ...headers: string[]): RawClient {
  return client.get(
    "/chat",
    "Connection: Upgrade",
    "Upgrade: websocket",
    ...headers,
  );
}

describeEngines("proxy WebSocket", () => {
  for (const side of ["prod", "canary"] as const) {
    it(`carries messages both ways through ${side}`, async () => {
      const upstream = await startEchoServer();
      const other = await startNamedBackend("other");
      const [prod, canary] =
        side === "prod" ? [upstream, other] : [other, upstream];
      const proxy = await startTestProxy({ prod, canary, side });
      const { socket, servedBy } = await openWebSocket(proxy.port);
      expect(servedBy).to.equal(side);
      for (const size of [1, 100, 2_000_000]) {
        const message = randomBytes(size);
        expect((await echo(socket, message)).equals(message)).to.be.true;
      }
      expect(upstream.seen[0]).to.deep.include({ url: "/chat?room=1" });
      expect(upstream.seen[0]!.headers).to.include({
        "x-forwarded-for": "127.0.0.1",
        host: `127.0.0.1:${proxy.port}`,
      });
      expect(proxy.counts()[side].status).to.deep.equal({ 101: 1 });
    });
  }

  it("keeps the client's early bytes for the side that agrees", async () => {
    const canary = await startRawBackend(({ socket }) =>
      socket.resetAndDestroy(),
    );
    const prod = await startRawBackend(({ socket, received }) => {
      if (received.includes("Upgrade: websocket")) socket.write(SWITCH);
    });
    const proxy = await startTestProxy({ prod, canary, side: "canary" });
    const client = askForUpgrade(proxy.connect()).send("early");
    const answer = await client.response();
    expect(answer.status).to.equal(101);
    expect(answer.all("x-served-by")).to.deep.equal(["prod"]);
    await prod.sees("early");
  });

  it("sends the handshake to prod when the canary refuses the connection", async () => {
    const [prod, canary] = [await startEchoServer(), await startEchoServer()];
    await canary.stop();
    const proxy = await startTestProxy({ prod, canary, side: "canary" });
    const { socket, servedBy } = await openWebSocket(proxy.port);
    expect(servedBy).to.equal("prod");
    expect((await echo(socket, Buffer.from("hi"))).toString()).to.equal("hi");
    expect(proxy.counts().canary.status).to.deep.equal({ 503: 1 });
  });

  it("answers 503 when neither side can be reached", async () => {
    const prod = await startEchoServer();
    await prod.stop();
    const proxy = await startTestProxy({ prod });
    const client = askForUpgrade(proxy.connect());
    expect(await client.response()).to.include({ status: 503 });
    await client.closed();
  });

  it("relays the whole of a large refusal", async () => {
    const prod = await startBackend((_request, response) =>
      response.writeHead(401).end(LARGE),
    );
    const proxy = await startTestProxy({ prod });
    const client = askForUpgrade(proxy.connect());
    const { body } = await client.response();
    expect(body.length).to.equal(LARGE.length);
  });

  it("relays the bytes of the switch's headers unchanged", async () => {
    const cookie = "Set-Cookie: name=caf\xe9";
    const prod = await startRawBackend(({ socket }) =>
      socket.write(
        SWITCH.replace("\r\n\r\n", `\r\n${cookie}\r\n\r\n`),
        "latin1",
      ),
    );
    const proxy = await startTestProxy({ prod });
    const client = askForUpgrade(proxy.connect());
    await client.sees("\r\n\r\n");
    expect(client.unread).to.include(`\r\n${cookie}\r\n`);
  });

  describe("to a peer that stops reading", () => {
    async function openStalled(responseMs: number) {
      const prod = await startRawBackend(({ socket }) => {
        socket.write(SWITCH);
        socket.pause();
      });
      const proxy = await startTestProxy({ prod, responseMs });
      const client = askForUpgrade(proxy.connect());
      await client.sees("\r\n\r\n");
      for (let i = 0; i < 100; i++) client.socket.write(LARGE);
      await settledValue(
        "the client to be held up",
        () => client.socket.writableLength,
      );
      return { prod, proxy, client };
    }

    for (const leave of ["destroy", "resetAndDestroy"] as const)
      it(`is ended within the response timeout when the client leaves (${leave})`, async () => {
        const { proxy, client } = await openStalled(500);
        const { server } = proxy.service;
        const getConnections = promisify(server.getConnections.bind(server));
        expect(await getConnections()).to.equal(1);
        client.socket[leave]();
        await waitFor("its end", async () => (await getConnections()) === 0);
      });

    it("does not outlast the drain time of a stop", async () => {
      const { prod, proxy } = await openStalled(60_000);
      proxy.tunnels.end();
      await proxy.service.close(100);
      proxy.tunnels.close();
      await waitFor("the upstream's end", () => hasEnded(prod));
    });

    /** An unread socket sees no end: it writes until writing fails. */
    function hasEnded({ connections }: RawBackend): boolean {
      const { socket } = connections[0]!;
      socket.write("are you there?");
      return socket.destroyed;
    }
  });

  it("stays open while both peers are silent", async () => {
    const { port } = await startEchoServer();
    const prod = { url: new URL(`http://127.0.0.1:${port}`) };
    const proxy = await startTestProxy({ prod, responseMs: 150 });
    const { socket } = await openWebSocket(proxy.port);
    await new Promise((resolve) => setTimeout(resolve, 600));
    const message = Buffer.from("still here");
    expect((await echo(socket, message)).equals(message)).to.equal(true);
  });

  for (const leave of ["end", "destroy", "resetAndDestroy"] as const) {
    it(`ends the upstream request when the client leaves before the switch (${leave})`, async () => {
      const prod = await startRawBackend(() => undefined);
      const proxy = await startTestProxy({ prod });
      const client = askForUpgrade(proxy.connect());
      await prod.sees("\r\n\r\n");
      client.socket[leave]();
      await waitFor("the upstream's end", () => prod.sockets.size === 0, 1000);
      expect(proxy.counts().prod.status).to.deep.equal({ 499: 1 });
    });
  }

  it("limits the bytes that it reads before the switch", async () => {
    const prod = await startRawBackend(() => undefined);
    const proxy = await startTestProxy({ prod });
    const client = askForUpgrade(proxy.connect());
    await prod.sees("\r\n\r\n");
    const floodBytes = 20_000_000;
    const chunk = Buffer.alloc(floodBytes / 100, "x");
    for (let i = 0; i < 100; i++) client.socket.write(chunk);
    const heldUp = await settledValue(
      "the client to be held up",
      () => client.socket.writableLength,
    );
    expect(heldUp).to.be.above(floodBytes / 2);
    prod.connections[0]!.socket.write(SWITCH);
    await waitFor(
      "all of it upstream",
      () => prod.connections[0]!.received.length > floodBytes,
    );
  });

  it("ends a connection that asks to switch during an earlier response", async () => {
    const prod = await startRawBackend(() => undefined);
    const proxy = await startTestProxy({ prod });
    const client = proxy.connect();
    const first = "GET /first HTTP/1.1\r\nHost: x\r\n\r\n";
    client.send(`${first}GET /chat HTTP/1.1`, "Host: x");
    client.send("", "Connection: Upgrade", "Upgrade: websocket", "", "");
    await client.closed();
    await waitFor("the first one's end", () => prod.sockets.size === 0);
  });
});

describeEngines("proxy upgrade that is ignored", () => {
  const framings = {
    "no body": ["", ""],
    "a Content-Length": ["Content-Length: 5", "", "order"],
    chunks: ["Transfer-Encoding: chunked", "", "5", "order", "0", "", ""],
  };
  for (const protocol of ["h2c", "TLS/1.2", "websocket"])
    for (const [name, lines] of Object.entries(framings)) {
      if (protocol === "websocket" && name === "no body") continue;
      it(`serves a request with ${name} and Upgrade: ${protocol}, and the next one`, async () => {
        const prod = await startBackend((request, response) => {
          response.setHeader("upgraded", String(request.headers.upgrade));
          request.pipe(response);
        });
        const proxy = await startTestProxy({ prod });
        const client = proxy.connect();
        const head = ["POST / HTTP/1.1", "Host: x", `Upgrade: ${protocol}`];
        const body = lines.includes("order") ? "order" : "";
        for (let turn = 0; turn < 2; turn++) {
          client.send(...head, "Connection: Upgrade, HTTP2-Settings", ...lines);
          const answer = await client.response();
          expect(answer).to.include({ status: 200, body });
          expect(answer.all("upgraded")).to.deep.equal(["undefined"]);
        }
        expect(proxy.counts().prod.status).to.deep.equal({ 200: 2 });
      });
    }
});
