import { expect } from "chai";
import type { Redis } from "ioredis";
import { startPrivateRedis } from "../../support/redis/private-redis.js";
import {
  decodeDecks,
  deckBucketOf,
  SLOT_MS,
  type DealtDeck,
} from "../../../lib/telemetry/decks.js";
import { decodeHostDecks } from "../../../lib/telemetry/host-decks.js";
import { LatencyHistogram } from "../../../lib/telemetry/latency-histogram.js";
import {
  parseTelemetry,
  SIDES,
  type Side,
  type Telemetry,
  type TrafficWindow,
} from "../../../lib/telemetry/telemetry.js";
import { startBackend, startNamedBackend } from "../../support/http/backend.js";
import { onCleanup } from "../../support/cleanup.js";
import { describeEngines } from "../../support/http/engines.js";
import { send } from "../../support/http/http-client.js";
import {
  canaryToBe,
  startOpenProxy,
  type ProxyProgram,
} from "../../support/programs/proxy-program.js";
import { startTestProxy } from "../../support/programs/test-proxy.js";
import { connectRedis } from "../../support/redis/redis-server.js";
import { waitFor } from "../../support/wait-for.js";

type Window = Telemetry & { kind: "traffic" };

function openRedis(url?: string): Redis {
  const redis = connectRedis(url);
  redis.on("error", () => undefined);
  onCleanup(() => redis.disconnect());
  return redis;
}

/** Every window in the stream, oldest first. @throws when one does not parse */
async function readWindows(
  redis: Redis,
  { keys }: ProxyProgram,
): Promise<Window[]> {
  const entries = await redis.xrange(keys.telemetry, "-", "+");
  const windows = entries.filter(([, [, kind]]) => kind !== "gate");
  return windows.map(([, fields]) => {
    const parsed = parseTelemetry(fields);
    if ("problem" in parsed || parsed.kind !== "traffic")
      throw new Error(`not a traffic window: ${JSON.stringify(parsed)}`);
    return parsed;
  });
}

function sum(
  windows: readonly Window[],
  target: Side,
  read: (data: TrafficWindow) => number,
): number {
  return windows
    .filter(({ data }) => data.target === target)
    .reduce((total, { data }) => total + read(data), 0);
}

/** Waits until the windows together hold this many requests. */
async function untilCounted(
  redis: Redis,
  proxy: ProxyProgram,
  requests: number,
): Promise<Window[]> {
  return await waitFor(`${requests} requests in the windows`, async () => {
    const windows = await readWindows(redis, proxy);
    const counted = SIDES.map((side) =>
      sum(windows, side, (data) => data.requests),
    );
    return counted[0]! + counted[1]! >= requests ? windows : undefined;
  });
}

describeEngines("proxy telemetry", () => {
  it("counts each side's requests, outcomes and latencies, in windows of both sides", async () => {
    const prod = await startNamedBackend("prod");
    const canary = await startBackend((_request, response) => {
      setTimeout(() => response.writeHead(500).end(), 40);
    });
    const proxy = await startOpenProxy({
      PROD_URLS: prod.url.origin,
      CANARY_URLS: canary.url.origin,
      BREAKER: "off",
      TELEMETRY_INTERVAL_MS: "50",
    });
    const redis = openRedis();
    for (let i = 0; i < 40; i++) await send(proxy.port);
    const windows = await untilCounted(redis, proxy, 40);

    expect(sum(windows, "prod", (data) => data.requests)).to.equal(30);
    expect(sum(windows, "prod", (data) => data.status[200] ?? 0)).to.equal(30);
    expect(sum(windows, "prod", (data) => data.errors)).to.equal(0);
    expect(sum(windows, "canary", (data) => data.requests)).to.equal(10);
    expect(sum(windows, "canary", (data) => data.status[500] ?? 0)).to.equal(
      10,
    );
    expect(sum(windows, "canary", (data) => data.errors)).to.equal(10);
    expect(sum(windows, "canary", (data) => data.arms.chosen)).to.equal(10);

    const ofInstance = (url: URL, side: Side, figure: "requests" | "errors") =>
      sum(windows, side, ({ instances }) => {
        return instances?.[url.host]?.[figure] ?? 0;
      });
    expect(ofInstance(prod.url, "prod", "requests")).to.equal(30);
    expect(ofInstance(prod.url, "prod", "errors")).to.equal(0);
    expect(ofInstance(canary.url, "canary", "requests")).to.equal(10);
    expect(ofInstance(canary.url, "canary", "errors")).to.equal(10);

    for (const [side, atLeastMs, atMostMs] of [
      ["prod", 0, 40],
      ["canary", 39, 400],
    ] as const) {
      const latency = new LatencyHistogram();
      for (const { data } of windows)
        if (data.target === side) latency.merge(data.latency);
      expect(latency.total).to.equal(side === "prod" ? 30 : 10);
      expect(latency.quantile(0.5)).to.be.within(atLeastMs, atMostMs);
    }
  });

  it("sends one window for each side at each interval, also without traffic", async () => {
    const prod = await startNamedBackend("prod");
    const proxy = await startOpenProxy({
      PROD_URLS: prod.url.origin,
      TELEMETRY_INTERVAL_MS: "50",
    });
    const redis = openRedis();
    const windows = await waitFor("ten windows", async () => {
      const windows = await readWindows(redis, proxy);
      return windows.length >= 20 ? windows.slice(0, 20) : undefined;
    });
    for (let i = 0; i < windows.length; i += 2) {
      const [first, second] = [windows[i]!, windows[i + 1]!];
      expect([first.data.target, second.data.target]).to.deep.equal(SIDES);
      expect(first.at).to.equal(second.at);
    }
    const last = windows.at(-1)!;
    expect(last.source).to.match(new RegExp(`^proxy@.+:${proxy.port}$`));
    expect(Date.now() - last.at).to.be.within(0, 10_000);
    expect(last.data).to.deep.include({
      target: "canary",
      requests: 0,
      latency: [],
      split: "3:1",
      canaryOpen: true,
      because: null,
    });
    // A busy machine may delay one of them.
    const lengths = windows.map(({ data }) => data.windowMs!);
    lengths.sort((a, b) => a - b);
    expect(lengths[10]).to.be.within(1, 2000);
  });

  it("reports the decks that it dealt, in windows with the canary's weight", async () => {
    const prod = await startNamedBackend("prod");
    const canary = await startBackend((_request, response) => {
      setTimeout(() => response.end(), 40);
    });
    const proxy = await startOpenProxy({
      PROD_URLS: prod.url.origin,
      CANARY_URLS: canary.url.origin,
      TELEMETRY_INTERVAL_MS: "50",
    });
    const redis = openRedis();
    for (let i = 0; i < 43; i++) await send(proxy.port, { path: "/a" });
    const windows = await untilCounted(redis, proxy, 43);

    for (const { data } of windows) expect(data.weight).to.equal(25);
    const decks = windows.flatMap(({ data }) => {
      expect(data.decks === undefined).to.equal(data.target === "prod");
      const { decks = [], deckRoutes = [] } = data;
      return decodeDecks({ decks, deckRoutes }) as DealtDeck[];
    });
    expect(decks).to.have.length(10);
    for (const { slot, np, nc, requests } of decks) {
      expect(Date.now() - slot * SLOT_MS).to.be.within(0, 20_000);
      expect([np, nc]).to.deep.equal([3, 1]);
      const [onCanary] = requests;
      expect(onCanary![1]).to.be.at.least(deckBucketOf(39));
    }
    const routes = decks.slice(1).flatMap(({ requests }) => requests);
    expect(new Set(routes.map(([route]) => route))).to.have.keys("GET /a");
  });

  it("reports decks of prod's hosts, one of which is compared with the others", async () => {
    const hosts = [
      await startNamedBackend("a"),
      await startBackend((_request, response) => {
        setTimeout(() => response.end(), 40);
      }),
    ];
    const proxy = await startOpenProxy({
      PROD_URLS: hosts.map(({ url }) => url.origin).join(),
      SPLIT: "1:0",
      TELEMETRY_INTERVAL_MS: "50",
    });
    const redis = openRedis();
    for (let i = 0; i < 11; i++) await send(proxy.port, { path: "/a" });
    const windows = await untilCounted(redis, proxy, 11);
    const found = windows.flatMap(({ data }) => {
      expect(data.hostDecks?.hosts).to.equal(
        data.target === "prod" ? 2 : undefined,
      );
      return data.hostDecks ? decodeHostDecks(data.hostDecks)! : [];
    });
    expect(found).to.have.length(5);
    for (const { np, nc, compared, requests } of found) {
      const isSlow = compared === hosts[1]!.url.host;
      expect([compared, np, nc]).to.deep.equal([
        hosts[isSlow ? 1 : 0]!.url.host,
        ...[1, 1],
      ]);
      const slow = requests.map(([, bucket]) => bucket >= deckBucketOf(39));
      expect(slow).to.deep.equal([isSlow, !isSlow]);
    }
  });

  it("drops the deck of prod's hosts in which a request was tried again", async () => {
    const good = await startNamedBackend("good");
    const gone = { url: new URL("http://127.0.0.1:1") };
    const proxy = await startTestProxy({ prod: [good, gone] });
    for (let i = 0; i < 2; i++) await send(proxy.port, { path: "/a" });
    const { prod, hostDecks } = proxy.counts();
    expect(prod.status).to.deep.equal({ 200: 2 });
    expect(hostDecks).to.deep.equal([]);
  });

  it("drops the deck in which the flag was off and on again, also without a request meanwhile", async () => {
    const prod = await startNamedBackend("prod");
    const canary = await startNamedBackend("canary");
    const proxy = await startOpenProxy({
      PROD_URLS: prod.url.origin,
      CANARY_URLS: canary.url.origin,
      TELEMETRY_INTERVAL_MS: "50",
    });
    const redis = openRedis();
    for (let i = 0; i < 6; i++) await send(proxy.port);
    for (const value of ["false", "true"]) {
      await redis.set(proxy.keys.flag("feature"), value);
      await canaryToBe(proxy, value === "true" ? null : /flag is false/);
    }
    for (let i = 0; i < 6; i++) await send(proxy.port);
    const windows = await untilCounted(redis, proxy, 12);
    const decks = windows.flatMap(({ data }) => data.decks ?? []);
    expect(decks).to.have.length(2);
  });

  it("shows a waiting request in each window until it counts", async () => {
    const prod = await startBackend(() => undefined);
    const proxy = await startOpenProxy({
      PROD_URLS: prod.url.origin,
      SPLIT: "1:0",
      TELEMETRY_INTERVAL_MS: "50",
    });
    const redis = openRedis();
    const client = proxy.connect().get("/");
    await waitFor("two windows with it waiting", async () => {
      const windows = await readWindows(redis, proxy);
      return sum(windows, "prod", ({ waiting }) => waiting!.length) >= 2;
    });
    expect(
      sum(await readWindows(redis, proxy), "prod", (data) => data.requests),
    ).to.equal(0);
    client.socket.destroy();
    const windows = await untilCounted(redis, proxy, 1);
    expect(sum(windows, "prod", (data) => data.status[499] ?? 0)).to.equal(1);
  });

  it("says why the canary is closed", async () => {
    const prod = await startNamedBackend("prod");
    const proxy = await startOpenProxy({
      PROD_URLS: prod.url.origin,
      TELEMETRY_INTERVAL_MS: "50",
    });
    const redis = openRedis();
    await redis.set(proxy.keys.flag("feature"), "false");
    const closed = await waitFor("a window that tells", async () => {
      const windows = await readWindows(redis, proxy);
      return windows.find(({ data }) => data.because === "flag is false");
    });
    expect(closed.data.canaryOpen).to.be.false;
  });

  it("loses no request while Redis is away, and sends a longer window", async () => {
    const before = await startPrivateRedis();
    onCleanup(() => before.stop());
    const prod = await startNamedBackend("prod");
    const proxy = await startOpenProxy({
      REDIS_URL: before.url,
      PROD_URLS: prod.url.origin,
      TELEMETRY_INTERVAL_MS: "50",
    });
    await before.stop();
    await waitFor("the proxy to miss Redis", () =>
      proxy.log.some(
        ({ msg, connection }) =>
          // Which of the two depends on whether Redis left bytes unread.
          connection === "proxy" &&
          ["Redis connection lost", "Redis is away"].includes(msg),
      ),
    );
    for (let i = 0; i < 30; i++) await send(proxy.port);
    const after = await startPrivateRedis({ port: before.port });
    onCleanup(() => after.stop());
    const windows = await untilCounted(openRedis(after.url), proxy, 30);
    const counted = SIDES.map((side) =>
      sum(windows, side, (data) => data.requests),
    );
    expect(counted[0]! + counted[1]!).to.equal(30);
    expect(windows[0]!.data.windowMs).to.be.above(100);
  });

  it("closes the canary while Redis takes no telemetry, and says why", async () => {
    const server = await startPrivateRedis();
    onCleanup(() => server.stop());
    const proxy = await startOpenProxy({
      REDIS_URL: server.url,
      TELEMETRY_INTERVAL_MS: "50",
      FLAG_STALE_MS: "1500",
    });
    const redis = openRedis(server.url);
    await redis.config("SET", "maxmemory", "1");
    await canaryToBe(proxy, /^telemetry is not taken: OOM command not allowed/);
    const { telemetry } = await proxy.status();
    expect(telemetry.untakenForMs).to.be.above(1500);
    const told = proxy.log.filter(({ msg }) =>
      msg.startsWith("telemetry is not"),
    );
    expect(told).to.have.length(1);
    await redis.config("SET", "maxmemory", "0");
    await canaryToBe(proxy, null);
  });

  it("sends the last window when it stops", async () => {
    const prod = await startNamedBackend("prod");
    const proxy = await startOpenProxy({
      PROD_URLS: prod.url.origin,
      SPLIT: "1:0",
      TELEMETRY_INTERVAL_MS: "60000",
      FLAG_STALE_MS: "120000",
    });
    for (let i = 0; i < 5; i++) await send(proxy.port);
    await proxy.stop();
    const windows = await readWindows(openRedis(), proxy);
    expect(sum(windows, "prod", (data) => data.requests)).to.equal(5);
  });
});
