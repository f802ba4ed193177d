import { expect } from "chai";
import type { ServerResponse } from "node:http";
import { startBackend, startNamedBackend } from "../support/http/backend.js";
import { send } from "../support/http/http-client.js";
import type { ProxyProgram } from "../support/programs/proxy-program.js";
import { waitFor } from "../support/wait-for.js";
import {
  canHaveSeveral,
  startUnopenedProxy,
} from "../support/workers/several-workers.js";

const RELOADS = 3;

/** A proxy whose upstream holds what it is asked until it is told to let go. */
async function startHolding(env: Record<string, string> = {}) {
  const held: ServerResponse[] = [];
  const prod = await startBackend((request, response) => {
    if (request.url === "/held") held.push(response);
    else response.end("ok");
  });
  const proxy = await startUnopenedProxy({
    PROD_URLS: prod.url.origin,
    SPLIT: "1:0",
    ...env,
  });
  const letGo = () => held.splice(0).forEach((response) => response.end("ok"));
  /** Sends so many requests, each on a connection of its own, and waits until they are held. */
  const hold = async (count: number) => {
    const clients = Array.from({ length: count }, () =>
      proxy.connect().get("/held"),
    );
    await waitFor("the requests to be held", () => held.length === count);
    return clients;
  };
  return { proxy, hold, letGo };
}

async function crashOne(proxy: ProxyProgram) {
  const ends = () =>
    proxy.log.filter(({ msg }) => msg.startsWith("a worker ended"));
  const before = ends().length;
  await proxy.connect().get("/crash").closed();
  return await waitFor("the crash to be logged", () => ends()[before]);
}

/**
 * Connects once more when its connection was reset before it stood: what waits in a closing listener's queue may be, unless
 * the system moves it to another's (docs/decisions/0016).
 */
function sendPatiently(port: number) {
  return send(port).catch((err: unknown) => {
    if ((err as NodeJS.ErrnoException).code !== "ECONNRESET") throw err;
    return send(port);
  });
}

function replacement() {
  it("ends a worker that hangs, and serves on", async () => {
    const { proxy } = await startHolding();
    const hung = proxy.connect().get("/hang");
    await waitFor(
      "the end of the one that hangs",
      () => proxy.log.find(({ msg }) => msg.startsWith("a worker hangs")),
      25_000,
    );
    await hung.closed();
    await waitFor("another in its place", () =>
      proxy.log.some(({ msg }) => msg.startsWith("a worker ended")),
    );
    for (let turn = 0; turn < 20; turn++)
      expect(await sendPatiently(proxy.port)).to.include({ status: 200 });
  });

  it("takes a crashed worker's connections, and nobody else's", async () => {
    const { proxy, hold, letGo } = await startHolding();
    const clients = await hold(20);
    const { err } = await crashOne(proxy);
    expect((err as Error).message).to.equal("this worker was told to crash");
    letGo();
    const statuses = await Promise.all(
      clients.map((client) =>
        client.response().then(
          ({ status }) => status,
          () => "lost",
        ),
      ),
    );
    expect(statuses).to.include("lost");
    expect(statuses).to.include(200);
    expect(await send(proxy.port)).to.include({ status: 200 });
  });

  it("replaces each that crashes, ever later when it goes on", async () => {
    const { proxy } = await startHolding();
    // Two places, three crashes: one of them has had two.
    const ends = [];
    for (let crash = 0; crash < 3; crash++) {
      ends.push(await crashOne(proxy));
      await waitFor("it to be served", () =>
        send(proxy.port).then(
          () => true,
          () => false,
        ),
      );
    }
    const delays = ends.map(({ delayMs }) => delayMs as number);
    expect(delays[0]).to.equal(100);
    expect(Math.max(...delays)).to.be.at.least(200);
  });

  it("no longer counts the connections of one that crashed", async () => {
    const { proxy, hold } = await startHolding({ MAX_CONNECTIONS: "21" });
    await hold(20);
    await crashOne(proxy);
    const clients = [proxy.connect().get("/"), proxy.connect().get("/")];
    for (const client of clients)
      expect(await client.response()).to.include({ status: 200 });
  });

  it("answers every request while SIGHUP replaces all of them", async () => {
    const prod = await startNamedBackend("prod");
    const proxy = await startUnopenedProxy({
      PROD_URLS: prod.url.origin,
      SPLIT: "1:0",
    });
    const load = { stopped: false, sent: 0 };
    const client = async () => {
      for (; !load.stopped; load.sent++)
        expect(await sendPatiently(proxy.port)).to.include({ status: 200 });
    };
    const clients = Promise.all(Array.from({ length: 4 }, client));
    for (let reload = 1; reload <= RELOADS; reload++) {
      proxy.child.kill("SIGHUP");
      await waitFor("the workers to be replaced", () => {
        const done = proxy.log.filter(({ msg }) => msg === "workers replaced");
        return done.length === reload;
      });
    }
    load.stopped = true;
    await clients;
    // It answers with what it has when a worker's counts take long.
    const counted = await waitFor("all to be counted", async () => {
      const { prod } = (await proxy.status()).requests;
      return prod >= load.sent && prod;
    });
    expect(counted).to.equal(load.sent);
  });

  it("finishes what an old worker has in flight before it ends", async () => {
    const { proxy, hold, letGo } = await startHolding({ DRAIN_MS: "20000" });
    const clients = await hold(6);
    proxy.child.kill("SIGHUP");
    await waitFor("an old worker to drain", () =>
      proxy.log.find(({ msg }) => msg.startsWith("a new worker listens")),
    );
    letGo();
    for (const client of clients) {
      expect(await client.response()).to.include({ status: 200 });
      client.socket.end();
    }
    await waitFor("the workers to be replaced", () =>
      proxy.log.find(({ msg }) => msg === "workers replaced"),
    );
  });

  it("finishes what all of them have in flight at SIGTERM, and exits 0", async () => {
    const { proxy, hold, letGo } = await startHolding({ DRAIN_MS: "20000" });
    const clients = await hold(12);
    proxy.child.kill("SIGTERM");
    await waitFor("it to drain", async () => {
      const ready = await send(proxy.adminPort, { path: "/readyz" });
      return ready.status === 503;
    });
    letGo();
    for (const client of clients)
      expect(await client.response()).to.include({ status: 200 });
    expect(await proxy.exited).to.equal(0);
  });

  it("ends within DRAIN_MS although a request hangs", async () => {
    const { proxy, hold } = await startHolding({ DRAIN_MS: "300" });
    const [client] = await hold(4);
    proxy.child.kill("SIGTERM");
    await client!.closed();
    expect(await proxy.exited).to.equal(0);
  });
}

if (canHaveSeveral) describe("proxy workers' replacement", replacement);
