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

/** The error of a rejected promise. */
async function failureOf(promise: Promise<unknown>): Promise<unknown> {
  return await promise.then(
    () => expect.fail("it was not rejected"),
    (err: unknown) => err,
  );
}

describe("app Redis store", () => {
  it("keeps binary values for their time to live", async () => {
    const { redis, keys, store } = createStore();
    const value = Buffer.from([0xff, 0x00, 0xc3, 0x28]);
    await store.write("a", value);
    expect(await store.read("a")).to.deep.equal(value);
    expect(await redis.getBuffer(keys.kv("a"))).to.deep.equal(value);
    expect(await redis.pttl(keys.kv("a"))).to.be.within(50_000, 60_000);
  });

  it("has no value for an unknown key", async () =>
    expect(await createStore().store.read("a")).to.be.null);

  it("logs the first of several consecutive rejections", async () => {
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

  it("does not log an outage of Redis", async () => {
    const { redis, logger, store } = createStore();
    await redis.ping();
    redis.disconnect();
    const write = store.write("a", Buffer.alloc(0));
    expect(await failureOf(write)).to.be.instanceOf(StoreUnavailable);
    expect(logger.lines).to.be.empty;
  });
});
