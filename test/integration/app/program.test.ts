import { once } from "node:events";
import { get, type IncomingMessage } from "node:http";
import {
  createConnection,
  createServer,
  type AddressInfo,
  type Socket,
} from "node:net";
import { text } from "node:stream/consumers";
import { expect } from "chai";
import { startPrivateRedis } from "../../support/redis/private-redis.js";
import { findServicePort } from "../../support/system/service-port.js";
import { onCleanup } from "../../support/cleanup.js";
import {
  spawnListening,
  spawnProgram,
  type ProgramProcess,
} from "../../support/programs/program-process.js";
import { startProgram } from "../../support/programs/program.js";
import {
  connectRedis,
  freshKeys,
  redisUrl,
} from "../../support/redis/redis-server.js";
import { runningTime } from "../../support/running-time.js";
import { waitFor } from "../../support/wait-for.js";

const DISABLED = '503 {"error":"feature disabled","flag":"feature"}';
const UNAVAILABLE = '503 {"error":"store unavailable"}';
const NO_VALUE = '404 {"error":"no value for key a"}';

/** Status and body in one line. Fails after 5 s. */
async function ask(url: string, method = "GET"): Promise<string> {
  const signal = AbortSignal.timeout(5000);
  const response = await fetch(url, { method, signal });
  return `${response.status} ${await response.text()}`;
}

async function untilAnswered(url: string, answer: string): Promise<void> {
  await waitFor(`${url} to answer ${answer}`, async () => {
    return (await ask(url)) === answer;
  });
}

async function untilStopping(app: ProgramProcess): Promise<void> {
  await waitFor("the app to be stopping", () =>
    app.log.some(({ msg }) => msg === "stopping"),
  );
}

/** Sends a request for /slow and waits until the app has it. */
async function startSlow(url: string, delayMs: number) {
  const request = get(`${url}/slow?ms=${delayMs}`, { agent: false });
  const response = once(request, "response").then(
    ([message]) => message as IncomingMessage,
  );
  await once(request, "finish");
  // The app handles requests in the order of arrival.
  await ask(`${url}/healthz`);
  return { request, response };
}

/** The tests' Redis behind a relay that delays each command by `delayMs`. @returns its URL */
async function startDistantRedis(delayMs: number): Promise<string> {
  const { hostname, port } = new URL(redisUrl());
  const sockets: Socket[] = [];
  const relay = createServer((near) => {
    const far = createConnection(Number(port), hostname);
    sockets.push(near, far);
    near.on("data", (data) => setTimeout(() => far.write(data), delayMs));
    far.pipe(near);
    for (const socket of [near, far])
      socket.on("error", () => socket.destroy());
  });
  relay.listen(0, "127.0.0.1");
  await once(relay, "listening");
  onCleanup(() => {
    relay.close();
    for (const socket of sockets) socket.destroy();
  });
  return `redis://127.0.0.1:${(relay.address() as AddressInfo).port}`;
}

function connect() {
  const redis = connectRedis();
  onCleanup(() => redis.disconnect());
  return redis;
}

/** Sets the flag as an operator might, by hand. */
async function setFlag(url: string, key: string, value: string): Promise<void> {
  const redis = connectRedis(url);
  await redis.set(key, value);
  await redis.quit();
}

describe("app program", () => {
  it("does not start with bad settings and lists them all", async () => {
    const env = { ROLE: "beta", SLOW_MS: "soon", KV_TTL_S: "0" };
    const app = spawnProgram("app", env);
    expect(await app.exited).to.equal(1);
    expect(app.stderr()).to.equal(
      [
        "app does not start: bad settings:",
        '  - ROLE is "beta": give one of prod, canary',
        '  - SLOW_MS is "soon": give a whole number from 0 to 30000, in ms',
        '  - KV_TTL_S is "0": give a whole number from 1 to 86400\n',
      ].join("\n"),
    );
  });

  it("reports the configured version", async () => {
    const app = await startProgram("app", { ROLE: "canary", VERSION: "2.0.0" });
    expect(await ask(app.url)).to.include('"version":"2.0.0"');
  });

  it("follows the flag on prod, but not on the canary", async () => {
    const keys = freshKeys();
    const env = { KEY_PREFIX: keys.prefix };
    const prod = await startProgram("app", { ...env, ROLE: "prod" });
    const canary = await startProgram("app", { ...env, ROLE: "canary" });
    const redis = connect();
    await untilAnswered(`${prod.url}/get/a`, NO_VALUE);
    await redis.set(keys.flag("feature"), "false");
    await untilAnswered(`${prod.url}/get/a`, DISABLED);
    expect(await ask(`${prod.url}/set/a`, "POST")).to.equal(DISABLED);
    expect(await ask(`${canary.url}/set/a`, "POST")).to.include("200");
    await redis.set(keys.flag("feature"), "true");
    await untilAnswered(`${prod.url}/get/a`, NO_VALUE);
  });

  describe("without Redis", () => {
    it("starts and becomes ready when Redis appears", async () => {
      const port = await findServicePort();
      const env = { REDIS_URL: `redis://127.0.0.1:${port}` };
      const app = await startProgram("app", { ...env, ROLE: "prod" });
      expect(await ask(`${app.url}/healthz`)).to.include("200");
      expect(await ask(`${app.url}/readyz`)).to.equal(
        '503 {"status":"not ready","because":"Redis has not answered yet"}',
      );
      expect(await ask(`${app.url}/get/a`)).to.equal(UNAVAILABLE);

      const redis = await startPrivateRedis({ port });
      onCleanup(redis.stop);
      await untilAnswered(`${app.url}/readyz`, '200 {"status":"ready"}');
      await untilAnswered(`${app.url}/get/a`, NO_VALUE);
    });

    it("keeps the last flag and responds at once during an outage", async () => {
      const first = await startPrivateRedis();
      onCleanup(first.stop);
      const keys = freshKeys();
      const env = { REDIS_URL: first.url, KEY_PREFIX: keys.prefix };
      await setFlag(first.url, keys.flag("feature"), "false");
      const prod = await startProgram("app", { ...env, ROLE: "prod" });
      const canary = await startProgram("app", { ...env, ROLE: "canary" });
      await untilAnswered(`${prod.url}/get/a`, DISABLED);
      await untilAnswered(`${canary.url}/get/a`, NO_VALUE);

      await first.stop();
      await untilAnswered(`${canary.url}/get/a`, UNAVAILABLE);
      const startedAt = runningTime();
      expect(await ask(`${canary.url}/set/a`, "POST")).to.equal(UNAVAILABLE);
      expect(runningTime() - startedAt).to.be.below(1000);
      expect(await ask(`${prod.url}/get/a`)).to.equal(DISABLED);
      expect(await ask(`${prod.url}/readyz`)).to.include("200");

      const second = await startPrivateRedis({ port: first.port });
      onCleanup(second.stop);
      await untilAnswered(`${canary.url}/get/a`, NO_VALUE);
      expect(await ask(`${prod.url}/get/a`)).to.equal(DISABLED);
      await setFlag(second.url, keys.flag("feature"), "true");
      await untilAnswered(`${prod.url}/get/a`, NO_VALUE);
    });

    it("does not wait for a hanging Redis", async () => {
      const redis = await startPrivateRedis();
      onCleanup(redis.stop);
      const env = { REDIS_URL: redis.url, ROLE: "prod" };
      const app = await startProgram("app", env);
      await untilAnswered(`${app.url}/get/a`, NO_VALUE);
      process.kill(redis.pid, "SIGSTOP");
      expect(await ask(`${app.url}/get/a`)).to.equal(UNAVAILABLE);
      process.kill(redis.pid, "SIGCONT");
      await untilAnswered(`${app.url}/get/a`, NO_VALUE);
    });
  });

  it("accepts requests only when it can serve them", async () => {
    const REDIS_URL = await startDistantRedis(50);
    const app = await startProgram("app", { ROLE: "prod", REDIS_URL });
    expect(await ask(`${app.url}/get/a`)).to.equal(NO_VALUE);
  });

  describe("on SIGTERM", () => {
    it("finishes requests in flight, accepts no more, and ends", async () => {
      const app = await spawnListening("app", { ROLE: "canary" });
      const slow = await startSlow(app.url, 500);
      app.child.kill("SIGTERM");
      const response = await slow.response;
      expect(response.statusCode).to.equal(200);
      expect(response.headers.connection).to.equal("close");
      expect(await text(response)).to.equal('{"delayMs":500}');
      expect(await app.exited).to.equal(0);
      expect(app.stderr()).to.be.empty;
    });

    it("is no longer ready", async () => {
      const app = await spawnListening("app", { ROLE: "prod" });
      await untilAnswered(`${app.url}/readyz`, '200 {"status":"ready"}');
      const socket = createConnection(Number(new URL(app.url).port));
      await once(socket, "connect");
      socket.write("GET /readyz HTTP/1.1\r\nHost: app\r\n");
      await ask(`${app.url}/healthz`);
      app.child.kill("SIGTERM");
      await untilStopping(app);
      socket.end("\r\n");
      expect(await text(socket)).to.match(/^HTTP\/1.1 503 .*"stopping"}$/s);
    });

    it("aborts requests in flight after DRAIN_MS", async () => {
      const app = await spawnListening("app", {
        ROLE: "canary",
        DRAIN_MS: "50",
      });
      const slow = await startSlow(app.url, 30_000);
      app.child.kill("SIGTERM");
      const failure = await slow.response.catch((err: unknown) => err);
      expect(failure).to.have.property("code", "ECONNRESET");
      expect(await app.exited).to.equal(0);
    });

    it("does not wait for a client that disconnected", async () => {
      const app = await spawnListening("app", { ROLE: "canary" });
      const slow = await startSlow(app.url, 30_000);
      slow.request.destroy();
      await slow.response.catch(() => undefined);
      app.child.kill("SIGTERM");
      expect(await app.exited).to.equal(0);
    });

    it("ends at once on the second signal", async () => {
      const app = await spawnListening("app", { ROLE: "canary" });
      const slow = await startSlow(app.url, 30_000);
      app.child.kill("SIGTERM");
      await untilStopping(app);
      app.child.kill("SIGTERM");
      await slow.response.catch(() => undefined);
      expect(await app.exited).to.equal(128 + 15);
    });
  });
});
