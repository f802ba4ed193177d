import { expect } from "chai";
import { startNamedBackend } from "../../support/http/backend.js";
import { onCleanup } from "../../support/cleanup.js";
import { describeEngines } from "../../support/http/engines.js";
import { send } from "../../support/http/http-client.js";
import {
  canaryToBe,
  startOpenProxy,
  startProxyProgram,
} from "../../support/programs/proxy-program.js";
import { connectRedis } from "../../support/redis/redis-server.js";

async function get(port: number, path: string) {
  const { status, body } = await send(port, { path });
  return { status, body: JSON.parse(body.toString()) as unknown };
}

describeEngines("proxy status", () => {
  it("shows split, flag, lease and each side's requests", async () => {
    const prod = await startNamedBackend("prod");
    const proxy = await startOpenProxy({
      PROD_URLS: prod.url.origin,
      CANARY_URLS: prod.url.origin,
    });
    for (let i = 0; i < 8; i++) await send(proxy.port);
    const { flag, ...status } = await proxy.status();
    expect(status).to.deep.equal({
      split: "3:1",
      weight: 25,
      weightProblem: null,
      canary: { open: true, because: null },
      lease: { required: false, freshForMs: 0 },
      telemetry: { untakenForMs: 0, because: null },
      requests: { prod: 6, canary: 2 },
    });
    expect(flag.value).to.equal(true);
    expect(flag.confirmedAgoMs).to.be.within(0, 5000);
  });

  it("shows that the flag is false", async () => {
    const proxy = await startOpenProxy({ FLAG_NAME: "checkout" });
    const redis = connectRedis();
    onCleanup(() => redis.disconnect());
    await redis.set(proxy.keys.flag("checkout"), "false");
    await canaryToBe(proxy, /^flag is false$/);
    expect((await proxy.status()).flag.value).to.equal(false);
  });

  it("is served on the admin port only, like the health checks", async () => {
    const prod = await startNamedBackend("prod");
    const { port, adminPort } = await startProxyProgram({
      PROD_URLS: prod.url.origin,
    });
    expect((await send(port, { path: "/status" })).body.toString()).to.equal(
      "prod",
    );
    expect(await get(adminPort, "/healthz")).to.deep.equal({
      status: 200,
      body: { status: "ok" },
    });
    expect(await get(adminPort, "/readyz")).to.deep.equal({
      status: 200,
      body: { status: "ready" },
    });
    expect(await get(adminPort, "/other")).to.deep.equal({
      status: 404,
      body: { error: "not found: try /status, /metrics, /healthz or /readyz" },
    });
    const headers = { host: `rebound.example:${adminPort}` };
    const rebound = await send(adminPort, { path: "/status", headers });
    expect(rebound.status).to.equal(403);
  });
});
