import { expect } from "chai";
import { RedisStore } from "../../../apps/app/redis-store.js";
import { StoreUnavailable } from "../../../apps/app/errors.js";
import { onCleanup } from "../../support/cleanup.js";
import { createMemoryLogger } from "../../support/logger.js";
import { connectRedis, freshKeys } from "../../support/redis/redis-server.js";

function createStore() {
  const redis = connectRedis();
  onCleanup(() => redis.disconnect());
  const keys = freshKeys();
  const logger = createMemoryLogger();
  const store = new RedisStore({ redis, keys, ttlS: 60, logger });
  return { redis, keys, logger, store };
}

/** What it was rejected with. */
async function failureOf(promise: Promise<unknown>): Promise<unknown> {
  return await promise.then(
    () => expect.fail("it was not rejected"),
    (err: unknown) => err,
  );
}

describe("app Redis store", () => {
  it("keeps bytes that are no text, for the time to live", async () => {
    const { redis, keys, store } = createStore();
    const value = Buffer.from([0xff, 0x00, 0xc3, 0x28]);
    await store.write("a", value);
    expect(await store.read("a")).to.deep.equal(value);
    expect(await redis.getBuffer(keys.kv("a"))).to.deep.equal(value);
    expect(await redis.pttl(keys.kv("a"))).to.be.within(50_000, 60_000);
  });

  it("has nothing where nothing was set", async () =>
    expect(await createStore().store.read("a")).to.be.null);

  it("logs once per spell what Redis answers when it refuses", async () => {
    const { redis, keys, logger, store } = createStore();
    await redis.rpush(keys.kv("list"), "1");
    const refused = () => failureOf(store.read("list"));
    expect(await refused()).to.be.instanceOf(StoreUnavailable);
    expect(await refused()).to.be.instanceOf(StoreUnavailable);
    expect(logger.lines).to.have.lengthOf(1);
    await store.read("a");
    await refused();
    expect(logger.lines).to.have.lengthOf(2);
    expect(logger.lines[0]!.message).to.equal(
      "Redis refuses the store's commands",
    );
  });

  it("leaves it to the connection to log that Redis is away", async () => {
    const { redis, logger, store } = createStore();
    await redis.ping();
    redis.disconnect();
    const write = store.write("a", Buffer.alloc(0));
    expect(await failureOf(write)).to.be.instanceOf(StoreUnavailable);
    expect(logger.lines).to.be.empty;
  });
});
