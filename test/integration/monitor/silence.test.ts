import { expect } from "chai";
import { once } from "node:events";
import { createServer } from "node:http";
import {
  connect,
  createServer as createNetServer,
  type Socket,
} from "node:net";
import { HttpService } from "../../../lib/program/http-service.js";
import { SilenceWatch } from "../../../lib/program/silence-watch.js";
import { onCleanup } from "../../support/cleanup.js";
import { RawClient } from "../../support/http/raw-client.js";
import { runningTime } from "../../support/running-time.js";
import { waitFor } from "../../support/wait-for.js";

const SILENCE_MS = 200;
/** Longer than the detection of a silence takes. */
const LONG_MS = 2 * SILENCE_MS;
/** The same on a busy machine. */
const LATEST_MS = 1500;
const elapsedSince = (began: number) => performance.now() - began;
const pause = (ms: number) => new Promise((done) => setTimeout(done, ms));

/** A connection whose peer sends nothing. */
async function openConnection(): Promise<Socket> {
  const server = createNetServer((far) => far.resume()).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  const socket = connect(port, "127.0.0.1");
  onCleanup(() => {
    socket.destroy();
    server.close();
  });
  await once(socket, "connect");
  return socket;
}

describe("silence watch", () => {
  function watchSilence(silenceMs = SILENCE_MS) {
    const told: string[] = [];
    const watch = new SilenceWatch<string>(silenceMs, (silent) =>
      told.push(...silent),
    );
    onCleanup(() => watch.close());
    return { told, watch };
  }

  it("reports a connection without traffic, in time and repeatedly", async () => {
    const { told, watch } = watchSilence();
    const [began, beganRunning] = [performance.now(), runningTime()];
    watch.add(await openConnection(), "a");
    await waitFor("word of it", () => told.length > 0);
    expect(elapsedSince(began)).to.be.at.least(SILENCE_MS);
    expect(runningTime() - beganRunning).to.be.below(LATEST_MS);
    await waitFor("word of it again", () => told.length > 1);
    expect(elapsedSince(began)).to.be.at.least(2 * SILENCE_MS);
  });

  it("restarts with each byte", async () => {
    const silenceMs = 1000;
    const { told, watch } = watchSilence(silenceMs);
    const socket = await openConnection();
    watch.add(socket, "a");
    const began = performance.now();
    while (elapsedSince(began) < 1.5 * silenceMs) {
      socket.write("x");
      await pause(silenceMs / 20);
    }
    expect(told).to.deep.equal([]);
    await waitFor("word of it", () => told.length > 0);
  });

  it("reports only watched connections", async () => {
    const { told, watch } = watchSilence();
    const [closed, removed] = [await openConnection(), await openConnection()];
    watch.add(closed, "closed");
    watch.add(removed, "removed");
    watch.add(await openConnection(), "kept");
    closed.destroy();
    watch.remove(removed);
    await waitFor("word of it", () => told.length > 1);
    expect(told).to.deep.equal(["kept", "kept"]);
  });
});

describe("HTTP service that ends idle connections", () => {
  async function startService() {
    const answers: (() => void)[] = [];
    const server = createServer((request, response) => {
      if (request.url === "/") response.end("ok");
      else answers.push(() => response.end("late"));
    });
    server.keepAliveTimeout = 0;
    server.on("upgrade", (_request, socket) =>
      socket.write("HTTP/1.1 101 Switching Protocols\r\n\r\n"),
    );
    const service = new HttpService(server, { keepAliveMs: SILENCE_MS });
    onCleanup(() => service.close(0));
    const port = await service.listen({ host: "127.0.0.1", port: 0 });
    return { answers, open: () => new RawClient(port) };
  }

  it("ends a connection in order when it stays idle after a response", async () => {
    const { open } = await startService();
    const [began, beganRunning] = [performance.now(), runningTime()];
    const client = open().get("/");
    await client.response();
    await client.closed();
    expect(client.ending).to.equal("ended");
    expect(elapsedSince(began)).to.be.at.least(SILENCE_MS / 2);
    expect(runningTime() - beganRunning).to.be.below(LATEST_MS);
  });

  it("keeps a connection whose request waits for its response", async () => {
    const { open, answers } = await startService();
    const client = open().get("/late");
    await pause(LONG_MS);
    expect(client.ending).to.equal(undefined);
    answers[0]?.();
    expect((await client.response()).body).to.equal("late");
    await client.closed();
  });

  it("keeps a connection that has switched protocols", async () => {
    const { open } = await startService();
    const client = open().send(
      ...["GET / HTTP/1.1", "Host: x", "Connection: Upgrade", "Upgrade: x"],
      ...["", ""],
    );
    await client.sees("101");
    await pause(LONG_MS);
    expect(client.ending).to.equal(undefined);
    client.socket.destroy();
  });
});
