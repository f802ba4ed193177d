import type { ServerResponse } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import { expect } from "chai";
import { Ledger } from "../../../lib/flag/ledger.js";
import { startBackend, startNamedBackend } from "../../support/http/backend.js";
import { onCleanup } from "../../support/cleanup.js";
import { describeEngines } from "../../support/http/engines.js";
import { send } from "../../support/http/http-client.js";
import {
  canaryToBe,
  startOpenProxy,
  type ProxyProgram,
} from "../../support/programs/proxy-program.js";
import { startPrivateRedis } from "../../support/redis/private-redis.js";
import { connectRedis, freshKeys } from "../../support/redis/redis-server.js";
import { waitFor } from "../../support/wait-for.js";

function connect(url?: string) {
  const redis = connectRedis(url);
  redis.on("error", () => undefined);
  onCleanup(() => redis.disconnect());
  return redis;
}

function startFailing(status: number) {
  return startBackend((_request, response) => {
    response.writeHead(status).end("no");
  });
}

async function statuses(proxy: ProxyProgram, count: number) {
  const seen: string[] = [];
  for (let sent = 0; sent < count; sent++) {
    const { status, servedBy } = await send(proxy.port, { path: "/" });
    seen.push(`${servedBy} ${status}`);
  }
  return seen;
}

describeEngines("proxy breaker", () => {
  async function start(options: {
    prodStatus?: number;
    canaryStatus: number;
    redisUrl?: string;
    env?: Record<string, string>;
  }) {
    const { prodStatus = 200, canaryStatus, redisUrl, env } = options;
    const prod =
      prodStatus === 200
        ? await startNamedBackend("prod")
        : await startFailing(prodStatus);
    const canary = await startFailing(canaryStatus);
    const keys = freshKeys();
    const proxy = await startOpenProxy({
      KEY_PREFIX: keys.prefix,
      PROD_URLS: prod.url.origin,
      CANARY_URLS: canary.url.origin,
      SPLIT: "1:1",
      ...(redisUrl === undefined ? {} : { REDIS_URL: redisUrl }),
      ...env,
    });
    const redis = connect(redisUrl);
    const ledger = new Ledger(redis, keys);
    const flips = () => ledger.readEvents({ limit: 10, kind: "flip" });
    return { proxy, keys, redis, ledger, flips };
  }

  it("closes a canary that fails five in a row, and sets the flag to false once", async () => {
    const { proxy, keys, redis, flips } = await start({ canaryStatus: 500 });
    const seen = await statuses(proxy, 40);
    expect(seen.filter((it) => it === "canary 500")).to.have.length(5);
    expect(seen.slice(-20)).to.deep.equal(Array(20).fill("prod 200"));
    const [flip] = await waitFor("the flip", async () => {
      const found = await flips();
      return found.length > 0 && found;
    });
    expect(await redis.get(keys.flag("feature"))).to.equal("false");
    expect(flip).to.include({ kind: "flip", by: "proxy" });
    expect(flip?.reason).to.match(
      /^the canary failed 5 requests in a row, prod 0 of \d+ \(proxy@.+\)$/,
    );
    expect(flip?.data).to.include({ rule: "breaker", failures: 5 });
    expect(await flips()).to.have.length(1);
    expect(await redis.xlen(keys.outbox)).to.equal(1);
  });

  it("shows the closed canary on /status, and opens it when the flag is set to true", async () => {
    const { proxy, ledger } = await start({ canaryStatus: 503 });
    await statuses(proxy, 12);
    await canaryToBe(proxy, /^breaker: the canary failed 5 requests in a row/);
    await waitFor("the proxy to know of the flip", async () => {
      return (await proxy.status()).flag.value === false;
    });
    await canaryToBe(proxy, /^breaker: /);
    await ledger.flip("feature", {
      value: true,
      by: "operator",
      reason: "try again",
      data: {},
    });
    await canaryToBe(proxy, null);
  });

  it("does not close a canary that fails no more than prod", async () => {
    const { proxy, flips } = await start({
      prodStatus: 500,
      canaryStatus: 500,
    });
    await statuses(proxy, 60);
    expect((await proxy.status()).canary.open).to.equal(true);
    expect(await flips()).to.deep.equal([]);
  });

  it("ignores failures of requests that began before the canary was reopened", async () => {
    const keys = freshKeys();
    const redis = connect();
    const prod = await startNamedBackend("prod");
    let isMended = false;
    let waiting = 0;
    const canary = await startBackend((_request, response) => {
      if (isMended) response.end("canary");
      else waiting += 1;
    });
    const proxy = await startOpenProxy({
      KEY_PREFIX: keys.prefix,
      ...{ PROD_URLS: prod.url.href, CANARY_URLS: canary.url.href },
      ...{ SPLIT: "0:1", RESPONSE_TIMEOUT_MS: "3000" },
    });
    const late = Array.from({ length: 8 }, () => proxy.connect().get("/"));
    await waitFor("the canary to hang", () => waiting === late.length);
    await redis.set(keys.flag("feature"), "false");
    await canaryToBe(proxy, /false/);
    isMended = true;
    await redis.set(keys.flag("feature"), "true");
    await canaryToBe(proxy, null);
    for (const client of late)
      expect((await client.response()).status).to.equal(200);
    expect((await proxy.status()).canary).to.include({ open: true });
    expect(await redis.get(keys.flag("feature"))).to.equal("true");
  });

  it("does not count a request that its client abandoned", async () => {
    const keys = freshKeys();
    const prod = await startNamedBackend("prod");
    const canary = await startBackend((request, response) => {
      if (request.url !== "/hangs") response.writeHead(500).end("no");
    });
    const proxy = await startOpenProxy({
      KEY_PREFIX: keys.prefix,
      ...{ PROD_URLS: prod.url.href, CANARY_URLS: canary.url.href },
      SPLIT: "0:1",
    });
    expect(await statuses(proxy, 4)).to.deep.equal(Array(4).fill("canary 500"));
    const left = proxy.connect().get("/hangs");
    await waitFor("it to wait", async () => {
      const { requests } = await proxy.status();
      return requests.canary === 5;
    });
    left.socket.destroy();
    await waitFor("its end", async () => {
      const answer = await fetch(`http://127.0.0.1:${proxy.adminPort}/metrics`);
      return /^serin_proxy_requests_total\{.*499.*\} 1$/m.test(
        await answer.text(),
      );
    });
    expect((await proxy.status()).canary.open).to.equal(true);
    await statuses(proxy, 1);
    await canaryToBe(proxy, /failed 5 requests in a row/);
  });

  describe("in a stall of both sides", () => {
    async function stall() {
      const keys = freshKeys();
      const held: Record<"prod" | "canary", ServerResponse[]> = {
        prod: [],
        canary: [],
      };
      const [prod, canary] = await Promise.all(
        (["prod", "canary"] as const).map((side) =>
          startBackend((_request, response) => void held[side].push(response)),
        ),
      );
      const proxy = await startOpenProxy({
        KEY_PREFIX: keys.prefix,
        ...{ PROD_URLS: prod!.url.href, CANARY_URLS: canary!.url.href },
        SPLIT: "1:1",
      });
      const clients = Array.from({ length: 12 }, () =>
        proxy.connect().get("/"),
      );
      await waitFor("the requests", () => held.canary.length === 6);
      const answer = (side: "prod" | "canary", status: number) => {
        for (const response of held[side].splice(0))
          response.writeHead(status).end();
      };
      answer("canary", 503);
      await canaryToBe(proxy, /^breaker: .*; prod's outcome is awaited$/);
      const redis = connect();
      const events = () => new Ledger(redis, keys).readEvents({ limit: 5 });
      const flag = () => redis.get(keys.flag("feature"));
      return { proxy, clients, answer, events, flag };
    }

    it("opens the canary again when prod fails as well", async () => {
      const { proxy, clients, answer, events, flag } = await stall();
      answer("prod", 503);
      await canaryToBe(proxy, null);
      await Promise.all(clients.map((client) => client.response()));
      const [event] = await waitFor("the event", async () => {
        const found = await events();
        return found[0]?.kind === "recovery" && found;
      });
      expect(event?.reason).to.match(
        /^the canary is open again: the canary failed 5 requests in a row, .*, but prod failed alike/,
      );
      expect(await flag()).to.equal(null);
    });

    it("sets the flag to false when prod answers soon", async () => {
      const { proxy, answer, flag } = await stall();
      answer("prod", 200);
      await waitFor("the flip", async () => (await flag()) === "false");
      await canaryToBe(proxy, /^breaker: .*prod 0 of 0$/);
    });
  });

  it("closes a canary whose clients give up, while prod answers its own", async () => {
    const keys = freshKeys();
    const prod = await startNamedBackend("prod");
    let waiting = 0;
    const canary = await startBackend(() => (waiting += 1));
    const proxy = await startOpenProxy({
      KEY_PREFIX: keys.prefix,
      PROD_URLS: prod.url.href,
      CANARY_URLS: canary.url.href,
      SPLIT: "1:1",
    });
    const clients = Array.from({ length: 12 }, () => proxy.connect().get("/"));
    await waitFor("the canary's requests", () => waiting === 6);
    await delay(300);
    for (const { socket } of clients) socket.destroy();
    const redis = connect();
    const reason = await waitFor("the flip", () =>
      redis.hget(keys.flagInfo("feature"), "reason"),
    );
    expect(reason).to.match(/^the canary failed 5 .*\(5 were abandoned\)/);
  });

  it("does nothing when BREAKER is off", async () => {
    const { proxy } = await start({
      canaryStatus: 500,
      env: { BREAKER: "off" },
    });
    await statuses(proxy, 40);
    expect((await proxy.status()).canary.open).to.equal(true);
  });

  it("keeps the canary closed without Redis, and sets the flag to false after it returns", async () => {
    const first = await startPrivateRedis();
    onCleanup(first.stop);
    const { proxy, keys } = await start({
      canaryStatus: 500,
      redisUrl: first.url,
      env: { FLAG_STALE_MS: "60000" },
    });
    await first.stop();
    await statuses(proxy, 12);
    await canaryToBe(proxy, /^breaker: /);
    const second = await startPrivateRedis({ port: first.port });
    onCleanup(second.stop);
    const redis = connect(second.url);
    await waitFor("the flag to be false", async () => {
      return (await redis.get(keys.flag("feature"))) === "false";
    });
  });
});
