import net, { type AddressInfo } from "node:net";
import { expect } from "chai";
import type { Redis } from "ioredis";
import { FlagWatch } from "../../../lib/flag/flag-watch.js";
import { createLogger } from "../../../lib/program/log.js";
import { createRedis } from "../../../lib/redis/redis.js";
import { onCleanup } from "../../support/cleanup.js";
import { createMemoryLogger } from "../../support/logger.js";
import { startPrivateRedis } from "../../support/redis/private-redis.js";
import { openTestRedis } from "../../support/redis/test-redis.js";
import { connectRedis } from "../../support/redis/redis-server.js";
import { waitFor } from "../../support/wait-for.js";

async function startServer() {
  const server = await startPrivateRedis();
  onCleanup(server.stop);
  const redis = connectRedis(server.url);
  onCleanup(() => redis.disconnect());
  return { ...server, redis };
}

/** An address that leads to a server, and to another one for new connections after `move`. */
async function startEndpoint(port: number) {
  let target = port;
  const link = net.createServer((client) => {
    const server = net.connect(target, "127.0.0.1");
    client.pipe(server).pipe(client);
    for (const [socket, other] of [
      [client, server],
      [server, client],
    ] as const)
      socket.on("error", () => undefined).on("close", () => other.destroy());
  });
  await new Promise<void>((resolve) => link.listen(0, "127.0.0.1", resolve));
  onCleanup(() => void link.close());
  const { port: own } = link.address() as AddressInfo;
  const move = (to: number) => (target = to);
  return { url: `redis://127.0.0.1:${own}`, move };
}

describe("connection to Redis", () => {
  function open(url: string, logger = createMemoryLogger()): Redis {
    const redis = createRedis({ url, name: "test", logger });
    onCleanup(() => redis.disconnect());
    return redis;
  }
  const untilReady = (redis: Redis) =>
    waitFor("the connection", () => redis.status === "ready");
  const serverOf = async (redis: Redis) =>
    Number(
      /^tcp_port:(\d+)/m.exec(await redis.info("server").catch(String))?.[1],
    );

  for (const [how, write] of [
    ["a command", (redis: Redis) => redis.set("k", "v")],
    [
      "a script",
      (redis: Redis) => redis.eval("redis.call('SET', KEYS[1], 1)", 1, "k"),
    ],
    ["a transaction", (redis: Redis) => redis.multi().set("k", "v").exec()],
  ] as const)
    it(`moves to the new primary when the old one refuses ${how}, with those that only read`, async () => {
      const [old, next] = [await startServer(), await startServer()];
      const endpoint = await startEndpoint(old.port);
      const [writer, reader] = [open(endpoint.url), open(endpoint.url)];
      await untilReady(writer);
      await untilReady(reader);
      expect(await serverOf(reader)).to.equal(old.port);
      endpoint.move(next.port);
      await old.redis.replicaof("127.0.0.1", next.port);
      await write(writer).catch(() => undefined);
      for (const redis of [writer, reader])
        await waitFor("the new primary", async () => {
          await untilReady(redis);
          return (await serverOf(redis)) === next.port;
        });
      await write(writer);
    });

  it("logs once why Redis refuses it, without the password", async () => {
    const { redis, port } = await startServer();
    await redis.acl("SETUSER", "u", "on", ">new", "~*", "&*", "+@all");
    const lines: string[] = [];
    const logger = createLogger("test", "debug", {
      write: (line) => void lines.push(line),
    });
    const url = `redis://u:0ld-s3cret@127.0.0.1:${port}`;
    const refused = createRedis({ url, name: "test", logger });
    onCleanup(() => refused.disconnect());
    let attempts = 0;
    refused.on("reconnecting", () => (attempts += 1));
    await waitFor("attempts", () => attempts > 3);
    expect(lines).to.have.length(1);
    expect(lines[0]).to.match(/WRONGPASS/);
    expect(lines.join("")).not.to.include("0ld-s3cret");
    await redis.acl("SETUSER", "u", ">0ld-s3cret");
    await untilReady(refused);
  });

  it("tells a flag watch why the flag cannot be read, once", async () => {
    const { redis, port } = await startServer();
    await redis.acl("SETUSER", "w", "on", ">pw", "~*", "&*", "+@all");
    const { keys } = openTestRedis();
    const logger = createMemoryLogger();
    const redisUrl = `redis://w:pw@127.0.0.1:${port}`;
    const watch = new FlagWatch({
      ...{ redisUrl, keys, logger },
      program: "watch",
      flagName: "feature",
    });
    onCleanup(() => watch.close());
    await waitFor("the flag", () => watch.current);
    await redis.acl("SETUSER", "w", "-get");
    await waitFor("the refusal", () => watch.refusal?.startsWith("NOPERM"));
    await redis.acl("DELUSER", "w");
    await waitFor("the other", () => watch.refusal?.startsWith("WRONGPASS"));
    const told = logger.lines.filter(
      ({ message }) => message === "flag cannot be read",
    );
    expect(told).to.have.length(1);
    await redis.acl("SETUSER", "w", "on", ">pw", "~*", "&*", "+@all");
    await waitFor("the flag again", () => watch.refusal === undefined);
  });
});
