import { once } from "node:events";
import { expect } from "chai";
import { startPrivateRedis } from "../../support/redis/private-redis.js";
import { LEASE_MS, readLease } from "../../../lib/flag/lease-reading.js";
import { encodeLease } from "../../support/redis/lease.js";
import { onCleanup } from "../../support/cleanup.js";
import {
  startContender,
  type Contender,
} from "../../support/monitor/contender.js";
import { startMuteLink } from "../../support/http/mute-link.js";
import { redisUrl } from "../../support/redis/redis-server.js";
import { runningTime } from "../../support/running-time.js";
import {
  openTestRedis,
  type TestRedis,
} from "../../support/redis/test-redis.js";
import { waitFor } from "../../support/wait-for.js";

/** The interval of renewals. */
const RENEWED_MS = 1000;

const untilLeading = (contender: Contender, timeoutMs?: number) =>
  waitFor("the lease", () => contender.leadership.fence, timeoutMs);

describe("leadership", () => {
  let test: TestRedis;
  const lease = async () => readLease(await test.redis.get(test.keys.lease), 0);

  beforeEach(() => {
    test = openTestRedis();
  });

  it("belongs to one contender, for three seconds at a time", async () => {
    const a = startContender("a", test.keys);
    const fence = await untilLeading(a);
    expect(fence).to.equal(await test.redis.get(test.keys.lease));
    expect(await lease()).to.include({ holder: "a", epoch: 1 });
    expect(await test.redis.pttl(test.keys.lease)).to.be.within(1, 3000);
    expect(a.history).to.deep.equal([`lead ${fence}`]);
  });

  it("is stored in a form that all programs can read", async () => {
    const a = startContender("monitor@edge1:8090#0a", test.keys);
    expect(await untilLeading(a)).to.equal(
      encodeLease("monitor@edge1:8090#0a", 1),
    );
  });

  it("stays with its holder beyond the time to live", async () => {
    const a = startContender("a", test.keys);
    await untilLeading(a);
    const b = startContender("b", test.keys);
    const fences = () => [a.leadership.fence, b.leadership.fence];
    let held: ReturnType<typeof fences> | undefined;
    let [heldSince, lookedAt] = [0, performance.now()];
    await waitFor("more than a lease's life", () => {
      const now = performance.now();
      // A delayed process renews too late, and may lose the lease.
      if (now - lookedAt > RENEWED_MS) held = undefined;
      lookedAt = now;
      if (held !== undefined) {
        expect(fences()).to.deep.equal(held);
        return now - heldSince > LEASE_MS + RENEWED_MS;
      }
      if (fences().some((fence) => fence !== undefined))
        [held, heldSince] = [fences(), now];
      return false;
    });
    expect(held).to.include(await test.redis.get(test.keys.lease));
  });

  it("is not taken by a contender that was closed", async () => {
    const { leadership } = startContender("a", test.keys);
    await leadership.close();
    await leadership.hold();
    expect(leadership.fence).to.equal(undefined);
  });

  it("passes to another contender at once when released, with the next epoch", async () => {
    const a = startContender("a", test.keys);
    await untilLeading(a);
    await a.leadership.close();
    expect(await test.redis.exists(test.keys.lease)).to.equal(0);
    expect(a.history.at(-1)).to.equal("lose");
    const b = startContender("b", test.keys);
    await untilLeading(b, 2000);
    expect(await lease()).to.include({ holder: "b", epoch: 2 });
  });

  it("passes to another contender when it expires", async () => {
    // As a dead holder, which does not renew its lease.
    const dead = encodeLease("dead", 4);
    await test.redis.set(test.keys.leaseEpoch, 4);
    await test.redis.set(test.keys.lease, dead, "PX", 1500);
    const b = startContender("b", test.keys);
    await untilLeading(b, 6000);
    expect(await lease()).to.include({ holder: "b", epoch: 5 });
  });

  it("is taken from a lease without a time to live", async () => {
    await test.redis.set(test.keys.lease, encodeLease("by hand", 9));
    const a = startContender("a", test.keys);
    await untilLeading(a);
    expect(await lease()).to.include({ holder: "a" });
  });

  it("ends when the lease is deleted, and returns with a new epoch", async () => {
    const a = startContender("a", test.keys);
    const fence = await untilLeading(a);
    const thief = encodeLease("thief", 7);
    await test.redis.set(test.keys.lease, thief, "PX", 1500);
    await waitFor("the loss", () => a.history.at(-1) === "lose");
    expect(a.leadership.fence).to.be.undefined;
    await waitFor("the lease again", () => a.leadership.fence);
    expect(a.leadership.fence).not.to.equal(fence);
    expect(a.history).to.have.length(3);
  });

  it("has growing epochs even after the counter was lost", async () => {
    const a = startContender("a", test.keys);
    await untilLeading(a);
    await test.redis.del(test.keys.lease, test.keys.leaseEpoch);
    await waitFor("a second epoch", async () => (await lease())?.epoch === 2);
    expect(await test.redis.get(test.keys.leaseEpoch)).to.equal("2");
  });

  it("ends by stepping down, and reports the loss once", async () => {
    const a = startContender("a", test.keys);
    const fence = await untilLeading(a);
    a.leadership.stepDown(fence);
    a.leadership.stepDown(fence);
    expect(a.leadership.fence).to.be.undefined;
    expect(a.history.filter((what) => what === "lose")).to.have.length(1);
    const warnings = a.log.filter(({ level }) => level === "warn");
    expect(warnings).to.have.length(1);
  });

  it("is kept when an earlier lease's rejection arrives late", async () => {
    const a = startContender("a", test.keys);
    const before = await untilLeading(a);
    await test.redis.del(test.keys.lease);
    const next = await waitFor("the next lease", () => {
      const { fence } = a.leadership;
      return fence !== before && fence;
    });
    a.leadership.stepDown(before);
    expect(a.leadership.fence).to.equal(next);
    await test.redis.pexpire(test.keys.lease, 2000);
    await waitFor(
      "its renewal",
      async () => (await test.redis.pttl(test.keys.lease)) > 2000,
    );
    expect(await lease()).to.include({ epoch: 2 });
  });

  it("is released when a stop arrives during the request for it", async () => {
    const a = startContender("a", test.keys);
    await once(a.redis, "ready");
    const asked = a.leadership.hold();
    await a.leadership.close();
    await asked;
    expect(await test.redis.get(test.keys.leaseEpoch)).to.equal("1");
    expect(await test.redis.exists(test.keys.lease)).to.equal(0);
    expect(a.leadership.fence).to.be.undefined;
    expect(a.history).to.be.empty;
  });

  it("is not held while a right for a flip is lost, and is taken afterwards", async () => {
    const user = test.keys.prefix.replace(/\W/g, "");
    const rules = ["on", "nopass", "~*", "+@all"];
    await test.redis.acl("SETUSER", user, ...rules, "-xadd");
    onCleanup(() => test.redis.acl("DELUSER", user));
    const url = redisUrl().replace("://", `://${user}:x@`);
    const a = startContender("a", test.keys, { url });
    await waitFor("two refusals", () => a.failures.length > 1);
    expect(a.failures[0]).to.include(
      `NOPERM this monitor may not XADD ${test.keys.events}`,
    );
    expect(a.leadership.fence).to.equal(undefined);
    await test.redis.acl("SETUSER", user, "+xadd");
    await untilLeading(a);
  });
});

describe("leadership without Redis", () => {
  it("ends after a pause longer than the lease, before Redis is asked", async () => {
    const a = startContender("a", openTestRedis().keys);
    await untilLeading(a);
    // As SIGSTOP does, this blocks timers and answers.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 3100);
    expect(a.leadership.fence).to.be.undefined;
    await untilLeading(a);
  });

  it("ends within the lease's three seconds, before Redis is asked", async () => {
    const server = await startPrivateRedis();
    onCleanup(server.stop);
    const { redis, keys } = openTestRedis({ url: server.url });
    const a = startContender("a", keys, { url: server.url });
    await untilLeading(a);
    const askedAt = performance.now();
    const leftMs = await redis.pttl(keys.lease);
    process.kill(server.pid, "SIGSTOP");
    const began = runningTime();
    await waitFor("the end", () => a.leadership.fence === undefined, 6000);
    expect(performance.now() - askedAt).to.be.at.least(leftMs - 100);
    expect(runningTime() - began).to.be.below(4000);
    await waitFor("word of it", () => a.history.at(-1) === "lose");
    process.kill(server.pid, "SIGCONT");
    await untilLeading(a, 10_000);
    expect(a.history).to.have.length(3);
  });

  it("starts once Redis appears", async () => {
    const first = await startPrivateRedis();
    await first.stop();
    const { keys } = openTestRedis();
    const a = startContender("a", keys, { url: first.url });
    await waitFor("the first failure", () => a.log.length > 0);
    const again = await startPrivateRedis({ port: first.port });
    onCleanup(again.stop);
    await untilLeading(a);
    expect(a.history).to.have.length(1);
  });

  it("is regained over a new connection when the old one is dead", async () => {
    const link = await startMuteLink(Number(new URL(redisUrl()).port));
    const url = `redis://127.0.0.1:${link.port}`;
    const { keys } = openTestRedis();
    const a = startContender("a", keys, { url, replyTimeoutMs: 1000 });
    await untilLeading(a);
    link.mute();
    await waitFor("a new connection", () => link.opened() > 1);
    await untilLeading(a);
  });
});
