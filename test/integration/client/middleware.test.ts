import express from "express";
import supertest from "supertest";
import { createFlags } from "../../../lib/client/client.js";
import { onCleanup } from "../../support/cleanup.js";
import { redisUrl } from "../../support/redis/redis-server.js";
import { openTestRedis } from "../../support/redis/test-redis.js";
import { waitFor } from "../../support/wait-for.js";

async function startService() {
  const { redis, keys } = openTestRedis();
  const flags = await createFlags({
    redisUrl: redisUrl(),
    keyPrefix: keys.prefix,
  });
  onCleanup(() => flags.close());
  const service = express();
  service.use(flags.express());
  service.get("/page", ({ flags }, response) => {
    response.json({ new: flags.isOn("new-checkout", false) });
  });
  service.get("/new", flags.require("new-checkout"), (_request, response) => {
    response.json({ ok: true });
  });
  const set = async (value: boolean) => {
    await redis.set(keys.flag("new-checkout"), String(value));
    await waitFor("it", () => flags.isOn("new-checkout") === value);
  };
  return { agent: supertest(service), set };
}

describe("serin/client middleware", () => {
  it("puts the flags on the request", async () => {
    const { agent, set } = await startService();
    await agent.get("/page").expect(200, { new: false });
    await set(true);
    await agent.get("/page").expect(200, { new: true });
  });

  it("answers 503 in JSON while the required flag is off", async () => {
    const { agent, set } = await startService();
    const disabled = { error: "feature disabled", flag: "new-checkout" };
    await agent
      .get("/new")
      .expect("x-serin-flag", "new-checkout=off")
      .expect(503, disabled);
    await set(true);
    await agent.get("/new").expect(200, { ok: true });
    await set(false);
    await agent.get("/new").expect(503, disabled);
  });
});
