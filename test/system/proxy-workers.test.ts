import { expect } from "chai";
import { parseTelemetry } from "../../lib/telemetry/telemetry.js";
import { findServicePort } from "../support/system/service-port.js";
import { startBackend, startNamedBackend } from "../support/http/backend.js";
import { onCleanup } from "../support/cleanup.js";
import { NOWHERE } from "../support/programs/cli.js";
import { send } from "../support/http/http-client.js";
import { scrape } from "../support/scrape.js";
import { spawnProgram } from "../support/programs/program-process.js";
import { canaryToBe } from "../support/programs/proxy-program.js";
import { connectRedis } from "../support/redis/redis-server.js";
import { runningTime } from "../support/running-time.js";
import { waitFor } from "../support/wait-for.js";
import {
  canHaveSeveral,
  sendInTurn,
  sendMany,
  startUnrulyProxy,
  UNRULY,
} from "../support/workers/several-workers.js";

function connect() {
  const redis = connectRedis();
  onCleanup(() => redis.disconnect());
  return redis;
}

async function startPair(env: Record<string, string> = {}) {
  const prod = await startNamedBackend("prod");
  const canary = await startNamedBackend("canary");
  const proxy = await startUnrulyProxy({
    PROD_URLS: prod.url.origin,
    CANARY_URLS: canary.url.origin,
    ...env,
  });
  return { prod, canary, proxy };
}

function severalWorkers() {
  it("splits exactly over all of them under load", async () => {
    const { proxy } = await startPair();
    const load = { total: 4001, connections: 24 };
    const sides = await sendMany(proxy.port, load);
    const canary = sides.filter((side) => side === "canary").length;
    // Each worker deals whole decks, and has one deck that is not complete.
    expect(canary).to.be.within(999, 1002);
    // It answers with what it has when a worker's counts take long.
    const requests = await waitFor("all to be counted", async () => {
      const { requests } = await proxy.status();
      return requests.prod + requests.canary >= 4001 && requests;
    });
    expect(requests).to.deep.equal({ prod: 4001 - canary, canary });
  });

  it("counts for Prometheus what all of them have served", async () => {
    const { proxy } = await startPair();
    await sendMany(proxy.port, { total: 400, connections: 12 });
    const origin = `http://127.0.0.1:${proxy.adminPort}`;
    const countOf = async (target: string) => {
      const { samples } = await scrape(origin);
      return (
        samples.get(
          `serin_proxy_requests_total{target="${target}",code="200"}`,
        ) ?? 0
      );
    };
    await waitFor(
      "all to be counted",
      async () => (await countOf("prod")) + (await countOf("canary")) === 400,
    );
    expect(await countOf("canary")).to.be.within(99, 101);
  });

  it("reports decks that one worker dealt as a whole, each exactly by the ratio", async () => {
    const { proxy } = await startPair({ TELEMETRY_INTERVAL_MS: "100" });
    const redis = connect();
    await sendMany(proxy.port, { total: 400, connections: 8 });
    const readDecks = async () => {
      const entries = await redis.xrange(proxy.keys.telemetry, "-", "+");
      return entries.flatMap(([, fields]) => {
        const entry = parseTelemetry(fields);
        return "data" in entry && entry.kind === "traffic"
          ? (entry.data.decks ?? [])
          : [];
      });
    };
    // Both workers may have one deck that is not complete.
    const decks = await waitFor("the decks", async () => {
      const decks = await readDecks();
      return decks.length >= 98 && decks;
    });
    expect(decks).to.have.length.within(98, 100);
    for (const [, np, nc, ...requests] of decks) {
      expect([np, nc]).to.deep.equal([3, 1]);
      expect(requests).to.have.length(4);
    }
  });

  it("has every worker follow a flip, back and forth", async () => {
    const { proxy } = await startPair();
    const redis = connect();
    const key = proxy.keys.flag("feature");
    await redis.set(key, "false");
    await canaryToBe(proxy, /^flag is false$/);
    expect(await sendInTurn(proxy.port, 40)).not.to.include("canary");
    await redis.set(key, "true");
    await canaryToBe(proxy, null);
    expect(await sendInTurn(proxy.port, 40)).to.include("canary");
  });

  it("closes the canary in time when the main thread hangs, and goes on serving", async () => {
    const { proxy } = await startPair({
      FLAG_STALE_MS: "1500",
      HANG_MS: "4000",
    });
    proxy.child.kill("SIGUSR2");
    const hungAt = runningTime();
    await waitFor("the canary to get nothing", async () => {
      const sides = await sendInTurn(proxy.port, 8);
      return !sides.includes("canary");
    });
    expect(runningTime() - hungAt).to.be.below(3500);
    await waitFor("the canary to be served again", async () =>
      (await sendInTurn(proxy.port, 8)).includes("canary"),
    );
  });

  it("writes one window a side for all of them", async () => {
    const { proxy } = await startPair({ TELEMETRY_INTERVAL_MS: "100" });
    await sendMany(proxy.port, { total: 400, connections: 8 });
    const redis = connect();
    const windows = await waitFor("all requests' windows", async () => {
      const entries = await redis.xrange(proxy.keys.telemetry, "-", "+");
      const read = entries
        .filter(([, [, kind]]) => kind !== "gate")
        .map(([, fields]) => parseTelemetry(fields));
      const traffic = read.flatMap((it) =>
        "kind" in it && it.kind === "traffic" ? [it] : [],
      );
      expect(traffic).to.have.length(read.length);
      const total = traffic.reduce((sum, it) => sum + it.data.requests, 0);
      return total === 400 && traffic;
    });
    expect(new Set(windows.map(({ source }) => source)).size).to.equal(1);
    const prod = windows.filter(({ data }) => data.target === "prod");
    expect(new Set(prod.map(({ at }) => at)).size).to.equal(prod.length);
    const requests = prod.reduce((sum, { data }) => sum + data.requests, 0);
    // Each of the two workers deals decks of four, and its last one may be open.
    expect(requests).to.be.closeTo(300, 2);
  });

  it("has a breaker that counts what all of them see", async () => {
    const prod = await startNamedBackend("prod");
    const canary = await startBackend((_request, response) =>
      response.writeHead(500).end(),
    );
    const proxy = await startUnrulyProxy({
      PROD_URLS: prod.url.origin,
      CANARY_URLS: canary.url.origin,
    });
    const sides = await sendInTurn(proxy.port, 60);
    expect(sides.filter((side) => side === "canary")).to.have.length(5);
    const redis = connect();
    await waitFor(
      "the flag to be put to false",
      async () => (await redis.get(proxy.keys.flag("feature"))) === "false",
    );
    const { canary: state } = await proxy.status();
    expect(state.because).to.match(/^breaker: the canary failed 5 requests/);
    await redis.set(proxy.keys.flag("feature"), "true");
    await canaryToBe(proxy, null);
    // Each worker deals decks of its own, and may be in the midst of one.
    expect(await sendInTurn(proxy.port, 40)).to.include("canary");
  });

  it("counts MAX_CONNECTIONS over all of them", async () => {
    const { proxy } = await startPair({ MAX_CONNECTIONS: "8" });
    const clients = Array.from({ length: 8 }, () => proxy.connect().get("/"));
    for (const client of clients)
      expect(await client.response()).to.include({ status: 200 });
    expect(await proxy.connect().get("/").response()).to.include({
      status: 503,
    });
  });

  it("keeps no more connections to the upstreams than requests at once, and ends them", async () => {
    const { prod, canary, proxy } = await startPair();
    await sendMany(proxy.port, { total: 600, connections: 12 });
    expect(prod.sockets.size + canary.sockets.size).to.be.at.most(24);
    await waitFor(
      "idle connections to end",
      () => prod.sockets.size + canary.sockets.size === 0,
    );
  });

  it("flips the flag for a canary that is taken out while other workers are still being started", async () => {
    const prod = await startNamedBackend("prod");
    const port = await findServicePort();
    const env = {
      ...{ WORKERS: "2", PORT: String(port), ADMIN_PORT: "0" },
      ...{ PROD_URLS: prod.url.origin, CANARY_URLS: `http://${NOWHERE}` },
      AWAIT_TRIP: "1",
    };
    const program = spawnProgram("proxy", env, UNRULY);
    const redis = connect();
    await waitFor("the flip", async () => {
      if (program.child.exitCode !== null)
        throw new Error(`the proxy ended: ${program.stderr()}`);
      await send(port).catch(() => undefined);
      return (await redis.get(program.keys.flag("feature"))) === "false";
    });
    await waitFor("all workers", () =>
      program.log.some(({ msg }) => msg === "proxy listens"),
    );
    const { reason } = await redis.hgetall(program.keys.flagInfo("feature"));
    expect(reason).to.match(new RegExp(`\\(proxy@.*:${port}\\)$`));
  });

  it("does not start on a port that another proxy has", async () => {
    const { proxy } = await startPair();
    const second = spawnProgram("proxy", {
      WORKERS: "2",
      ADMIN_PORT: "0",
      PORT: String(proxy.port),
    });
    expect(await second.exited).to.equal(1);
    const { err } = second.log.find(({ level }) => level === "error")!;
    expect((err as Error).message).to.match(/EADDRINUSE/);
  });

  it("does not start when its workers cannot, and says why", async () => {
    const env = { WORKERS: "2", ADMIN_PORT: "0", CRASH_AT_START: "1" };
    const program = spawnProgram("proxy", env, UNRULY);
    expect(await program.exited).to.equal(1);
    const { err } = program.log.find(
      ({ msg }) => msg === "proxy could not start",
    )!;
    expect((err as Error).message).to.equal("this worker does not start");
  });
}

function refusal() {
  it("is refused and names the Node version that it needs", async () => {
    const program = spawnProgram("proxy", { WORKERS: "2" });
    expect(await program.exited).to.equal(1);
    expect(program.stderr()).to.include(
      "WORKERS is 2: more than 1 needs Node 22.12, 23.1 or later",
    );
  });
}

if (canHaveSeveral) describe("proxy with several workers", severalWorkers);
else describe("proxy with several workers on this Node", refusal);
