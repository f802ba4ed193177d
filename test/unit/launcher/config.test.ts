import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { readConfig } from "../../../apps/launcher/config.js";
import { readServiceFile } from "../../../lib/service-file.js";
import type { Environment } from "../../../lib/settings/settings.js";
import { createServiceFile } from "../../support/programs/service-file.js";

/** For the shop, unless told. */
function readLaunch(env: Environment, text?: string) {
  return readConfig(env, createServiceFile(text));
}

function portsOf(env: Environment): Record<string, number> {
  const { ports } = readLaunch(env);
  return Object.fromEntries(
    Object.entries(ports).map(([name, { port }]) => [name, port]),
  );
}

describe("launcher config", () => {
  it("defaults to the documented ports, and to free ones for Redis and the mailbox", () =>
    expect(portsOf({})).to.deep.equal({
      proxy: 8080,
      admin: 8081,
      monitor: 8090,
      prodApp: 3001,
      canaryApp: 3002,
      prodAgent: 3101,
      canaryAgent: 3102,
      redis: 0,
      smtp: 0,
    }));

  it("reads each port from its variable", () =>
    expect(
      portsOf({
        PROXY_PORT: "1",
        ADMIN_PORT: "2",
        MONITOR_PORT: "3",
        PROD_PORT: "4",
        CANARY_PORT: "5",
        PROD_AGENT_PORT: "6",
        CANARY_AGENT_PORT: "7",
        REDIS_PORT: "8",
        SMTP_PORT: "9",
      }),
    ).to.deep.equal({
      proxy: 1,
      admin: 2,
      monitor: 3,
      prodApp: 4,
      canaryApp: 5,
      prodAgent: 6,
      canaryAgent: 7,
      redis: 8,
      smtp: 9,
    }));

  it("takes ports and settings from serin.yml, unless the environment has them", () => {
    const text = `
service: shop
run: node server.js
ports: {prod: 4001, canary: 4002}
proxy: {port: 9000, sticky: cookie, asset_fallback: true}
flag: checkout
rollout: {match: {cookie: beta}}
routes: {/poll: {latency: ignore}, /report: {latency: 1500ms}}`;
    const { ports, settings } = readLaunch({ MONITOR_PORT: "7" }, text);
    const { proxy, admin, monitor, prodApp, canaryAgent } = ports;
    expect(
      [proxy, admin, monitor, prodApp, canaryAgent].map(({ port }) => port),
    ).to.deep.equal([9000, 9001, 7, 4001, 4102]);
    expect(settings).to.include({
      ...{ KEY_PREFIX: "shop:", FLAG_NAME: "checkout" },
      ...{ STICKY: "cookie", ASSET_FALLBACK: "on" },
      ...{ CANARY_HEADER: "", CANARY_COOKIE: "beta" },
    });
    expect(JSON.parse(settings.ROUTE_RULES!)).to.deep.equal({
      "/poll": { latency: "ignore" },
      "/report": { latency: "1.5s" },
    });
    const own = { KEY_PREFIX: "mine:", FLAG_NAME: "" };
    expect(readLaunch(own, text).keyPrefix).to.equal("mine:");
    expect(readLaunch(own, text).flagName).to.equal("checkout");
  });

  it("needs no port for a service that the user runs", () => {
    const env = { PROD_URLS: "http://10.0.0.1:80,http://10.0.0.2:80" };
    const { urls, ports } = readLaunch(env);
    expect(urls.prod?.map(({ host }) => host)).to.deep.equal([
      "10.0.0.1",
      "10.0.0.2",
    ]);
    expect(urls.canary).to.equal(undefined);
    expect([ports.prodApp.port, ports.canaryApp.port]).to.deep.equal([0, 3002]);
  });

  it("listens for npm start where scripts/prepare looks before the packages are installed", async () => {
    const path = "../../../../scripts/prepare/ports.mjs";
    const { PORTS } = (await import(new URL(path, import.meta.url).href)) as {
      PORTS: Record<string, number>;
    };
    const sample = readServiceFile(
      fileURLToPath(new URL("../../../../apps/app/serin.yml", import.meta.url)),
    );
    const wishes = Object.values(readConfig({}, sample).ports);
    expect(PORTS).to.deep.equal(
      Object.fromEntries(
        wishes
          .filter(({ port }) => port !== 0)
          .map(({ variable, port }) => [variable, port]),
      ),
    );
  });

  it("ignores PORT", () =>
    expect(portsOf({ PORT: "nonsense" })).to.deep.equal(portsOf({})));

  it("checks ports on the addresses of the programs", () => {
    const { ports } = readLaunch({ HOST: "0.0.0.0", ADMIN_HOST: "127.0.0.2" });
    expect(ports.proxy.host).to.equal("0.0.0.0");
    expect(ports.admin.host).to.equal("127.0.0.2");
    expect(ports.redis.host).to.equal("127.0.0.1");
  });

  it("needs no Redis port when REDIS_URL is set", () => {
    const env = { REDIS_URL: "redis://cache:6379", REDIS_PORT: "6379" };
    expect(readLaunch(env).redisUrl).to.equal("redis://cache:6379");
    expect(portsOf(env).redis).to.equal(0);
  });

  it("has a mailbox unless mails are sent elsewhere", () => {
    const hasMailbox = (env: Environment) => readLaunch(env).hasMailbox;
    expect(hasMailbox({})).to.equal(true);
    expect(hasMailbox({ ALERT_TRANSPORT: "smtp" })).to.equal(true);
    expect(hasMailbox({ ALERT_TRANSPORT: "ses" })).to.equal(false);
    expect(hasMailbox({ SMTP_URL: "smtp://mail:25" })).to.equal(false);
  });

  it("names every invalid variable", () => {
    const env = { PROXY_PORT: "x", HOST: "no host", ALERT_TRANSPORT: "pigeon" };
    for (const name of Object.keys(env))
      expect(() => readLaunch(env)).to.throw(name);
  });
});
