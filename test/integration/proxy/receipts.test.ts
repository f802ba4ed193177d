import type { ServerResponse } from "node:http";
import { expect } from "chai";
import {
  parseReceipt,
  type GateReceipt,
} from "../../../lib/telemetry/telemetry.js";
import { onCleanup } from "../../support/cleanup.js";
import { startBackend, startNamedBackend } from "../../support/http/backend.js";
import { send } from "../../support/http/http-client.js";
import { runCli } from "../../support/programs/cli.js";
import {
  canaryToBe,
  spawnProxyProgram,
  startOpenProxy,
} from "../../support/programs/proxy-program.js";
import { connectRedis } from "../../support/redis/redis-server.js";
import { waitFor } from "../../support/wait-for.js";
import { canHaveSeveral } from "../../support/workers/several-workers.js";

/** A proxy that sends everything to a canary that answers when told. */
async function start(env: Record<string, string> = {}) {
  const held: ServerResponse[] = [];
  const prod = await startNamedBackend("prod");
  const canary = await startBackend((_request, response) => {
    held.push(response);
  });
  const run = env.WORKERS === undefined ? startOpenProxy : spawnProxyProgram;
  const proxy = await run({
    PROD_URLS: prod.url.origin,
    CANARY_URLS: canary.url.origin,
    SPLIT: "0:1",
    TELEMETRY_INTERVAL_MS: "100",
    ...env,
  });
  await canaryToBe(proxy, null);
  const redis = connectRedis();
  onCleanup(() => redis.disconnect());
  const receipts = async (): Promise<GateReceipt["data"][]> => {
    const entries = await redis.xrange(proxy.keys.telemetry, "-", "+");
    return entries.flatMap(([, fields]) => parseReceipt(fields)?.data ?? []);
  };
  const stops = async () =>
    (await receipts()).filter(({ because }) => because === "flag is false");
  await waitFor(
    "the proxy's telemetry",
    async () => (await redis.xlen(proxy.keys.telemetry)) > 2,
  );
  const flag = (value: string) =>
    runCli(proxy.keys, ["flag", value, "--reason", "a test"]);
  return { proxy, redis, held, receipts, stops, flag };
}

describe("a proxy's receipts", () => {
  it("say how soon the canary was stopped and opened", async () => {
    const { receipts, flag } = await start();
    expect((await flag("off")).stdout).to.match(
      /^feature is off: a test\n1 proxy stopped the canary after [\d.]+ ms; no request was in flight\n$/,
    );
    expect((await flag("on")).stdout).to.match(
      /^feature is on: a test\n1 proxy opened the canary after [\d.]+ ms\n$/,
    );
    const [off, on] = (await receipts()).slice(-2);
    expect(off).to.deep.include({ open: false, because: "flag is false" });
    expect(off!.flip).to.match(/^\d+-\d+$/);
    expect(off!.afterMs).to.be.within(0, 1000);
    expect(on).to.deep.include({ open: true, because: null, inFlight: 0 });
  });

  it("wait for the last request on the canary", async () => {
    const { proxy, held, stops, flag } = await start();
    const sent = [send(proxy.port), send(proxy.port)];
    await waitFor("two requests", () => held.length === 2);
    const reported = flag("off");
    await waitFor("a receipt", async () => (await stops()).length > 0);
    for (const response of held) response.end();
    await Promise.all(sent);
    expect((await reported).stdout).to.match(
      /; 2 requests were in flight, the last ended after [\d.]+ m?s\n$/,
    );
    const [stopped, ended] = await stops();
    expect(stopped).to.deep.include({ inFlight: 2, lastCanaryEndedMs: null });
    expect(ended).to.deep.include({ inFlight: 0, flip: stopped!.flip });
    expect(ended!.lastCanaryEndedMs).to.be.a("number");
  });

  const severalWorkers = async () => {
    const { proxy, held, stops, flag } = await start({ WORKERS: "2" });
    const sent = Array.from({ length: 6 }, () => send(proxy.port));
    await waitFor("six requests", () => held.length === 6);
    const reported = flag("off");
    await waitFor("a receipt", async () => (await stops()).length > 0);
    for (const response of held) response.end();
    await Promise.all(sent);
    expect((await reported).stdout).to.match(
      /\n1 proxy stopped the canary after [\d.]+ ms; 6 requests were in flight, the last ended after /,
    );
  };
  if (canHaveSeveral) it("are one for all workers of a proxy", severalWorkers);

  it("are missed again when a flip is repeated and the proxy hangs", async () => {
    const { redis, proxy, flag } = await start();
    await flag("off");
    const [, window] = (
      await redis.xrevrange(proxy.keys.telemetry, "+", "-", "COUNT", 4)
    ).find(([, fields]) => fields[1] === "traffic")!;
    const hung = window.map((field) =>
      field.startsWith("proxy@") ? "proxy@edge9:8080" : field,
    );
    await redis.xadd(proxy.keys.telemetry, "*", ...hung);
    const { status, stdout } = await flag("off");
    expect(status).to.equal(1);
    expect(stdout).to.equal(
      "feature is off already: nothing was changed, and the reason was not recorded\n2 proxies read this flag; proxy@edge9:8080 did not confirm within 2 s\n",
    );
  });

  it("name no flip when the flag was written directly", async () => {
    const { proxy, redis, stops } = await start();
    await redis.set(proxy.keys.flag("feature"), "false");
    await waitFor("a receipt", async () => (await stops()).length > 0);
    expect((await stops())[0]).to.deep.include({
      ...{ open: false, flip: null, afterMs: null },
    });
  });
});
