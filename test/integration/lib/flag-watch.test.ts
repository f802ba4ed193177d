import { expect } from "chai";
import { startPrivateRedis } from "../../support/redis/private-redis.js";
import { FlagWatch } from "../../../lib/flag/flag-watch.js";
import { Ledger } from "../../../lib/flag/ledger.js";
import type { Keys } from "../../../lib/redis/keys.js";
import { encodeLease } from "../../support/redis/lease.js";
import { onCleanup } from "../../support/cleanup.js";
import { createMemoryLogger, type LogLine } from "../../support/logger.js";
import { redisUrl } from "../../support/redis/redis-server.js";
import { runningTime } from "../../support/running-time.js";
import {
  openTestRedis,
  type TestRedis,
} from "../../support/redis/test-redis.js";
import { waitFor } from "../../support/wait-for.js";

/** Well below the polling interval of a second. */
const INSTANT_MS = 300;

describe("flag watch", () => {
  let test: TestRedis;
  let watch: FlagWatch;
  let changes: boolean[];
  let log: LogLine[];

  function watchFlag(keys: Keys, url: string): void {
    const logger = createMemoryLogger();
    log = logger.lines;
    changes = [];
    const opened = new FlagWatch({
      redisUrl: url,
      program: `watch-${keys.prefix}`,
      keys,
      flagName: "feature",
      readsLease: true,
      readsInfo: true,
      readsWeight: true,
      logger,
    });
    opened.onChange(({ value }) => changes.push(value));
    onCleanup(() => opened.close());
    watch = opened;
  }

  const untilSeen = (value: boolean) =>
    waitFor(`${value} to be seen`, () => watch.current?.value === value);
  const setFlag = (value: string) =>
    test.redis.set(test.keys.flag("feature"), value);
  /** Toggles the flag. Polling alone would detect half of the changes later than that. */
  async function expectInstantChanges(): Promise<void> {
    const tookMs: number[] = [];
    for (const value of [false, true, false, true, false, true]) {
      const began = performance.now();
      await setFlag(String(value));
      await untilSeen(value);
      tookMs.push(performance.now() - began);
    }
    // A busy machine may delay one.
    expect(tookMs.sort((a, b) => a - b).at(-2)).to.be.below(INSTANT_MS);
  }
  const clientIds = async () =>
    [
      ...String(await test.redis.client("LIST")).matchAll(
        /^id=(\d+) .* name=(\S+)/gm,
      ),
    ].map(([, id, name]) => ({ id: id!, name: name! }));
  /** Waits for the watch's connection for `purpose`. */
  const connection = (purpose: string) =>
    waitFor(`its connection for ${purpose}`, async () =>
      (await clientIds()).find(
        ({ name }) => name === `watch-${test.keys.prefix}-${purpose}`,
      ),
    );
  const untilTracking = () =>
    waitFor("tracking", async () => {
      const { id } = await connection("flag");
      const list = String(await test.redis.client("LIST"));
      return RegExp(`^id=${id} .* flags=\\w*t\\w* `, "m").test(list);
    });

  beforeEach(async () => {
    test = openTestRedis();
    watchFlag(test.keys, redisUrl());
    expect(watch.current).to.be.undefined;
    await untilSeen(true);
  });

  it("detects each change at once, by any writer", async () => {
    await untilTracking();
    await expectInstantChanges();
    expect(changes).to.deep.equal([
      ...[true, false, true, false],
      ...[true, false, true],
    ]);
  });

  it("marks the reading outdated when the flag is written, before the next read", async () => {
    // A private Redis, because a pause affects all its clients.
    const server = await startPrivateRedis();
    onCleanup(server.stop);
    test = openTestRedis({ url: server.url });
    watchFlag(test.keys, server.url);
    await untilTracking();
    const readings: string[] = [];
    watch.onReading(({ value, isOutdated }) => {
      const reading = `${isOutdated ? "outdated " : ""}${value}`;
      if (readings.at(-1) !== reading) readings.push(reading);
    });
    // Redis then announces the write, but answers no read.
    await test.redis
      .multi()
      .set(test.keys.flag("feature"), "false")
      .call("CLIENT", "PAUSE", "1000", "ALL")
      .exec();
    await waitFor("the read", () => readings.at(-1) === "false");
    // A read already under way may return it too, but stays outdated.
    const fromThenOn = readings
      .slice(readings.indexOf("outdated true"))
      .filter((reading) => reading !== "outdated false");
    expect(fromThenOn).to.deep.equal(["outdated true", "false"]);
  });

  it("reads the weight, and marks it outdated when it is written, but not the flag", async () => {
    await untilTracking();
    expect(watch.current).to.include({ weight: null, weightProblem: null });
    const seen: string[] = [];
    watch.onReading(({ weight, isOutdated, isWeightOutdated }) => {
      expect(isOutdated).to.equal(false);
      const reading = isWeightOutdated ? "outdated" : String(weight);
      if (seen.at(-1) !== reading) seen.push(reading);
    });
    await test.redis.set(test.keys.flagWeight("feature"), "7.5");
    await waitFor("the weight", () => seen.at(-1) === "7.5");
    expect(seen.slice(0, seen.indexOf("7.5"))).to.include("outdated");
    await test.redis.del(test.keys.flagWeight("feature"));
    await waitFor("its end", () => seen.at(-1) === "null");
  });

  for (const [raw, shown] of [
    ["7.555", '"7.555"'],
    ["", '""'],
    ["-1", '"-1"'],
    ["101", '"101"'],
    ["x".repeat(500), `"${"x".repeat(40)}"`],
  ] as const)
    it(`counts ${shown} as a weight of 0, and logs that once`, async () => {
      await test.redis.set(test.keys.flagWeight("feature"), raw);
      await waitFor("the weight", () => watch.current?.weight === 0);
      const since = watch.current!.confirmedAt;
      await waitFor("another read", () => watch.current!.confirmedAt > since);
      const said = log.filter(({ message }) => message.includes("counts as 0"));
      expect(said.map(({ message }) => message)).to.deep.equal([
        `the stored weight ${shown} counts as 0: give percent from 0 to 100 with at most two decimals, such as 7.5`,
      ]);
      expect(watch.current!.weightProblem).to.equal(said[0]!.message);
    });

  it("keeps the weight of a flag that Redis has lost", async () => {
    const { flag, flagWeight } = test.keys;
    const readAgain = async () => {
      const since = performance.now();
      await waitFor("a read", () => watch.current!.confirmedAt > since);
    };
    await test.redis.mset(flag("feature"), "true", flagWeight("feature"), "2");
    await waitFor("the weight", () => watch.current?.weight === 2);
    await test.redis.del(flag("feature"), flagWeight("feature"));
    await readAgain();
    expect(watch.current).to.include({ raw: null, value: true, weight: 2 });
    await setFlag("true");
    await readAgain();
    expect(watch.current!.weight).to.equal(null);
  });

  it("keeps the reading valid when the lease or another flag is written", async () => {
    await untilTracking();
    const outdated: boolean[] = [];
    watch.onReading(({ isOutdated }) => outdated.push(isOutdated));
    const lease = encodeLease("monitor@edge1:8090#a", 3);
    await test.redis.set(test.keys.lease, lease, "PX", 60_000);
    await test.redis.set(test.keys.flag("feature2"), "false");
    await waitFor("the lease", () => watch.current?.leaseUntil);
    await waitFor("more readings", () => outdated.length > 2);
    expect(outdated).not.to.include(true);
  });

  it("watches further flags over the same two connections", async () => {
    await untilTracking();
    watch.watch(["feature2", "new.checkout"]);
    const readingOf = (name: string) => watch.readingOf(name);
    await waitFor("both", () => readingOf("new.checkout"));
    expect(readingOf("feature2")).to.include({ raw: null, wasSet: false });
    const ledger = new Ledger(test.redis, test.keys);
    const flip = { by: "operator", reason: "a test", data: {} } as const;
    await ledger.flip("feature2", { ...flip, value: false });
    await waitFor("the flip", () => readingOf("feature2")?.value === false);
    expect(readingOf("feature2")).to.include({ wasSet: true, by: "operator" });
    expect(readingOf("feature2")?.at).to.match(/^\d{4}-.*Z$/);
    expect(watch.current).to.include({ name: "feature", value: true });
    const own = (await clientIds()).filter(({ name }) =>
      name.startsWith(`watch-${test.keys.prefix}`),
    );
    expect(own).to.have.length(2);
  });

  it("keeps the value of a flag that Redis has lost until another is written", async () => {
    await setFlag("false");
    await untilSeen(false);
    await test.redis.del(test.keys.flag("feature"));
    await waitFor("the loss", () => watch.current?.raw === null);
    expect(watch.current?.value).to.equal(false);
    expect(log.map(({ message }) => message)).to.deep.equal([
      "Redis has lost the flag: it stays false until it is written",
    ]);
    await setFlag("true");
    await untilSeen(true);
  });

  it("counts a malformed value as false and logs it once", async () => {
    await setFlag("flase");
    await untilSeen(false);
    const readAt = watch.current!.confirmedAt;
    await waitFor("more readings", () => watch.current!.confirmedAt > readAt);
    const warnings = log.filter(({ level }) => level === "warn");
    expect(warnings).to.deep.equal([
      {
        level: "warn",
        data: { flag: "feature", raw: "flase" },
        message: 'flag counts as false: it is neither "true" nor "false"',
      },
    ]);
  });

  it("confirms an unchanged flag about every second", async () => {
    const began = runningTime();
    const first = watch.current!.confirmedAt;
    await waitFor("a confirmation", () => {
      return watch.current!.confirmedAt > first + 500;
    });
    expect(runningTime() - began).to.be.below(3000);
    expect(changes).to.deep.equal([true]);
  });

  it("reads the lease and how long it is valid", async () => {
    expect(watch.current?.leaseUntil).to.be.null;
    await untilTracking();
    const lease = encodeLease("monitor@edge1:8090#a", 3);
    const tookMs: number[] = [];
    for (const ms of [10_000, 20_000, 30_000, 40_000]) {
      const began = performance.now();
      await test.redis.set(test.keys.lease, lease, "PX", ms);
      const writtenAt = performance.now();
      // Some of its duration passes between write and read, and a shorter validity is safe.
      const until = await waitFor("the lease", () => {
        const { leaseUntil } = watch.current!;
        return (leaseUntil ?? 0) > began + ms - 1000 && leaseUntil;
      });
      tookMs.push(performance.now() - writtenAt);
      expect(until).to.be.below(performance.now() + ms);
    }
    // Polling alone would detect half of them later. A busy machine may delay one.
    expect(tookMs.sort((a, b) => a - b).at(-2)).to.be.below(INSTANT_MS);
  });

  for (const purpose of ["flag", "invalidations"]) {
    it(`detects changes at once again after losing its connection for ${purpose}`, async () => {
      await untilTracking();
      const { id } = await connection(purpose);
      await test.redis.client("KILL", "ID", id);
      await waitFor(
        "another connection",
        async () => (await connection(purpose)).id !== id,
      );
      await untilTracking();
      // Tracking of the new connections may start a moment later.
      await waitFor("a prompt change", async () => {
        const before = watch.current!.confirmedAt;
        await setFlag("true");
        return await waitFor(
          "a reading",
          () => watch.current!.confirmedAt > before,
          INSTANT_MS,
        ).catch(() => false);
      });
      await expectInstantChanges();
    });
  }
});

describe("flag watch without Redis", () => {
  it("keeps the last reading during an outage and continues after it", async () => {
    const first = await startPrivateRedis();
    onCleanup(first.stop);
    const before = openTestRedis({ url: first.url });
    await before.redis.set(before.keys.flag("feature"), "false");
    const logger = createMemoryLogger();
    const watch = new FlagWatch({
      redisUrl: first.url,
      program: "watch",
      keys: before.keys,
      flagName: "feature",
      logger,
    });
    onCleanup(() => watch.close());
    await waitFor("the flag", () => watch.current?.value === false);
    await first.stop();
    await waitFor("the loss", () => logger.lines.length >= 2);
    const { confirmedAt } = watch.current!;
    await waitFor("it to age", () => performance.now() - confirmedAt > 1500);
    expect(watch.current).to.deep.include({ value: false, confirmedAt });

    const second = await startPrivateRedis({ port: first.port });
    onCleanup(second.stop);
    const after = openTestRedis({ url: second.url, keys: before.keys });
    await waitFor("the loss", () => watch.current?.raw === null);
    expect(watch.current?.value).to.equal(false);
    await after.redis.set(after.keys.flag("feature"), "true");
    await waitFor("a change", () => watch.current?.value === true);
  });
});
