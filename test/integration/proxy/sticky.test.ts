import { expect } from "chai";
import { randomUUID } from "node:crypto";
import type { Agent } from "node:http";
import { startBackend, type Backend } from "../../support/http/backend.js";
import { onCleanup } from "../../support/cleanup.js";
import { describeEngines } from "../../support/http/engines.js";
import {
  createKeepAliveAgent,
  send,
  type Answer,
} from "../../support/http/http-client.js";
import {
  canaryToBe,
  startOpenProxy,
  weightToBe,
} from "../../support/programs/proxy-program.js";
import { connectRedis } from "../../support/redis/redis-server.js";
import { waitFor } from "../../support/wait-for.js";

/** A build whose page names its script by a hash, and knows no other build's. */
function startBuild(hash: string): Promise<Backend> {
  return startBackend((request, response) => {
    if (request.url === "/") response.end(`/app.${hash}.js`);
    else if (request.url === `/app.${hash}.js`) response.end(hash);
    else response.writeHead(404).end();
  });
}

/** A service with sessions in its memory. */
function startSessions(): Promise<Backend> {
  const sessions = new Set<string>();
  return startBackend((request, response) => {
    if (request.url === "/login") {
      const session = randomUUID();
      sessions.add(session);
      response.setHeader("set-cookie", [`session=${session}`, "theme=dark"]);
      response.end();
      return;
    }
    const session = /session=([\w-]+)/.exec(request.headers.cookie ?? "")?.[1];
    response.writeHead(sessions.has(session ?? "") ? 200 : 401).end();
  });
}

async function startSides(
  start: (side: string) => Promise<Backend>,
  env: Record<string, string>,
) {
  const [prod, canary] = [await start("prod"), await start("canary")];
  const proxy = await startOpenProxy({
    PROD_URLS: prod.url.origin,
    CANARY_URLS: canary.url.origin,
    ...env,
  });
  const redis = connectRedis();
  onCleanup(() => redis.disconnect());
  return { proxy, redis };
}

/** Keeps cookies like a browser. */
class Browser {
  readonly #port: number;
  readonly #agent: Agent;
  readonly #jar = new Map<string, string>();

  constructor(port: number, agent = createKeepAliveAgent(1)) {
    this.#port = port;
    this.#agent = agent;
  }

  async get(path: string): Promise<Answer> {
    const cookie = [...this.#jar].map((pair) => pair.join("=")).join("; ");
    const headers = cookie === "" ? {} : { cookie };
    const agent = this.#agent;
    const answer = await send(this.#port, { path, headers, agent });
    for (const line of answer.headers["set-cookie"] ?? []) {
      const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      this.#jar.set(name, value);
    }
    return answer;
  }

  /** Loads the page and then its script. @returns whether both came */
  async load(): Promise<boolean> {
    const page = await this.get("/");
    return (await this.get(page.body.toString())).status === 200;
  }
}

/** @returns how many of 800 loads of the page, by 10 clients in turn, were broken */
async function countBroken(
  port: number,
  isClientNew: boolean,
): Promise<number> {
  const agent = createKeepAliveAgent(1);
  const clients = Array.from({ length: 10 }, () => new Browser(port, agent));
  let broken = 0;
  for (let i = 0; i < 800; i++) {
    const client = isClientNew ? new Browser(port, agent) : clients[i % 10]!;
    if (!(await client.load())) broken += 1;
  }
  return broken;
}

describeEngines("proxy with two builds", () => {
  it("breaks 400 of 800 page loads without sticky clients", async () => {
    const { proxy } = await startSides(startBuild, {});
    expect(await countBroken(proxy.port, false)).to.equal(400);
  });

  for (const [name, env, isClientNew] of [
    ["STICKY=cookie", { STICKY: "cookie" }, false],
    ["STICKY=cookie and a new client each", { STICKY: "cookie" }, true],
    ["ASSET_FALLBACK=on", { ASSET_FALLBACK: "on" }, false],
    ["both", { STICKY: "cookie", ASSET_FALLBACK: "on" }, false],
  ] as const)
    it(`breaks none of 800 page loads with ${name}`, async () => {
      const { proxy } = await startSides(startBuild, env);
      expect(await countBroken(proxy.port, isClientNew)).to.equal(0);
    });
});

describeEngines("proxy with sticky clients", () => {
  it("answers 40 requests after a login by one side, with the service's cookies kept", async () => {
    const { proxy } = await startSides(startSessions, { STICKY: "cookie" });
    for (let user = 0; user < 4; user++) {
      const browser = new Browser(proxy.port);
      const login = await browser.get("/login");
      expect(login.headers["set-cookie"]).to.have.length(3);
      const answers: string[] = [];
      for (let i = 0; i < 40; i++) {
        const { status, servedBy } = await browser.get("/cart");
        answers.push(`${status} ${servedBy}`);
      }
      expect(new Set(answers)).to.deep.equal(
        new Set([`200 ${login.servedBy}`]),
      );
    }
  });

  it("honours no cookie of a stopped canary", async () => {
    const { proxy, redis } = await startSides(startSessions, {
      STICKY: "cookie",
      SPLIT: "0:1",
    });
    const browser = new Browser(proxy.port);
    expect((await browser.get("/")).servedBy).to.equal("canary");
    await redis.set(proxy.keys.flag("feature"), "false");
    await canaryToBe(proxy, /^flag is false$/);
    const stopped = await browser.get("/");
    expect(stopped.servedBy).to.equal("prod");
    expect(stopped.headers["set-cookie"]).to.equal(undefined);
  });

  it("serves the canary's clients there without a gap while the weight grows", async () => {
    const { proxy, redis } = await startSides(startSessions, {
      STICKY: "cookie",
      SPLIT: "0:1",
    });
    const load = { isOver: false, sides: [] as (string | undefined)[] };
    const browsers = Array.from({ length: 8 }, () => new Browser(proxy.port));
    await Promise.all(browsers.map((browser) => browser.get("/")));
    const lanes = browsers.map(async (browser) => {
      while (!load.isOver) load.sides.push((await browser.get("/")).servedBy);
    });
    // No client is dealt anew: all have the canary's places below 100 %.
    for (let i = 0; i < 50; i++) {
      const sent = load.sides.length;
      await redis.set(proxy.keys.flagWeight("feature"), "100");
      await waitFor("the load", () => load.sides.length > sent + 8);
    }
    load.isOver = true;
    await Promise.all(lanes);
    expect(new Set(load.sides)).to.deep.equal(new Set(["canary"]));
  });

  it("names the rollout in the cookie, and deals clients anew when another begins", async () => {
    const { proxy, redis } = await startSides(startSessions, {
      STICKY: "cookie",
    });
    const begin = async (id: string, weight: number) => {
      await redis
        .multi()
        .hset(proxy.keys.rollout("feature"), "id", id)
        .set(proxy.keys.flagWeight("feature"), weight)
        .exec();
      await weightToBe(proxy, weight);
    };
    await begin("41", 100);
    const browser = new Browser(proxy.port);
    const first = await browser.get("/");
    expect(first.headers["set-cookie"]![0]).to.match(
      /^serin-side=canary\.41\.\d{4}; Path=\/; HttpOnly; SameSite=Lax$/,
    );
    expect((await browser.get("/")).headers["set-cookie"]).to.equal(undefined);
    await begin("42", 0);
    const second = await browser.get("/");
    expect(second.headers["set-cookie"]![0]).to.match(/^serin-side=prod\.42\./);
  });
});
