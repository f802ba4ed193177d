import { once } from "node:events";
import { expect } from "chai";
import { RedisLink } from "../../../apps/cli/sources/redis-link.js";
import { onCleanup } from "../../support/cleanup.js";
import { redisUrl } from "../../support/redis/redis-server.js";

const at = (url: string) => ({
  redisUrl: url,
  keyPrefix: "serin:",
  flagName: "feature",
});

describe("the command line's connection to Redis", () => {
  it("is shared by concurrent calls while it opens", async () => {
    const link = new RedisLink(at(redisUrl()));
    onCleanup(() => link.close());
    const [first, second] = await Promise.all([link.open(), link.open()]);
    expect(second.redis).to.equal(first.redis);
    expect(await first.redis.ping()).to.equal("PONG");
    expect((await link.open()).redis).to.equal(first.redis);
  });

  it("reopens after a failed attempt or a loss", async () => {
    const away = new RedisLink(at("redis://127.0.0.1:9"));
    for (let i = 0; i < 2; i++) {
      const failure = await away.open().catch((err: unknown) => err);
      expect(String(failure)).to.include("cannot be reached");
    }
    const link = new RedisLink(at(redisUrl()));
    onCleanup(() => link.close());
    const lost = (await link.open()).redis;
    lost.disconnect();
    await once(lost, "close");
    expect(await (await link.open()).redis.ping()).to.equal("PONG");
  });
});
