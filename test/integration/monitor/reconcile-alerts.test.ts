import { expect } from "chai";
import { reconcileAlerts } from "../../../apps/monitor/control/reconcile-alerts.js";
import { FencedError } from "../../../apps/monitor/leader/leadership.js";
import { describeEnd, type Alert } from "../../../apps/monitor/alert/alerts.js";
import {
  openTestRedis,
  type TestRedis,
} from "../../support/redis/test-redis.js";

const FENCE = '{"holder":"monitor@edge1:8090#a","epoch":3}';
const GONE: Alert = {
  id: "gone:agent@web1:3101",
  kind: "alert",
  reason: "the canary app on web1 is gone",
  data: { alert: "gone" },
};
const SILENT: Alert = {
  id: "silence:proxy@edge1:8080",
  kind: "silence",
  reason: "the proxy proxy@edge1:8080 has fallen silent",
  data: { alert: "silence" },
};
const over = {
  hears: () => true,
  isJudged: () => true,
  isCompared: () => true,
  isUnwell: () => false,
};
const unknown = { ...over, hears: () => false };

describe("reconciling alerts", () => {
  let test: TestRedis;
  const bookOf = (store: TestRedis) => ({
    reconcile: (alerts: Alert[], senses: typeof over, fence: string) =>
      reconcileAlerts(store, { alerts, senses, fence }),
  });
  const told = async () =>
    (await test.events()).map(({ kind, reason }) => `${kind}: ${reason}`);

  beforeEach(async () => {
    test = openTestRedis();
    await test.redis.set(test.keys.lease, FENCE);
  });

  it("raises each alert once, with an event and a mail", async () => {
    const book = bookOf(test);
    for (let round = 0; round < 3; round++)
      await book.reconcile([GONE, SILENT], over, FENCE);
    expect(await told()).to.deep.equal([
      `alert: ${GONE.reason}`,
      `silence: ${SILENT.reason}`,
    ]);
    const events = await test.events();
    expect(events.map(({ by, data }) => ({ by, data }))).to.deep.equal([
      { by: "monitor", data: GONE.data },
      { by: "monitor", data: SILENT.data },
    ]);
    expect((await test.outbox()).map(({ event }) => event)).to.deep.equal(
      events.map(({ id }) => id),
    );
  });

  it("clears each alert once, with an event and a mail", async () => {
    const book = bookOf(test);
    await book.reconcile([GONE, SILENT], over, FENCE);
    for (let round = 0; round < 3; round++)
      await book.reconcile([SILENT], over, FENCE);
    expect((await told()).slice(2)).to.deep.equal([
      `recovery: ${describeEnd(GONE.id)}`,
    ]);
    expect((await test.events()).at(-1)?.data).to.deep.equal({
      alert: GONE.id,
    });
    expect(await test.outbox()).to.have.length(3);
  });

  it("raises an alert again when it comes back", async () => {
    const book = bookOf(test);
    for (const alerts of [[GONE], [], [GONE]])
      await book.reconcile(alerts, over, FENCE);
    expect(await test.outbox()).to.have.length(3);
  });

  it("raises it once across two concurrent monitors", async () => {
    const books = [test, openTestRedis(test), openTestRedis(test)].map(bookOf);
    for (const alerts of [[GONE, SILENT], []]) {
      await Promise.all(
        books.map((book) => book.reconcile(alerts, over, FENCE)),
      );
    }
    expect(await test.events()).to.have.length(4);
    expect(await test.outbox()).to.have.length(4);
  });

  it("knows the alerts that another monitor raised", async () => {
    await bookOf(test).reconcile([GONE], over, FENCE);
    const successor = bookOf(openTestRedis(test));
    await successor.reconcile([GONE], over, FENCE);
    await successor.reconcile([], over, FENCE);
    expect(await told()).to.have.length(2);
  });

  it("does not clear alerts of a silent source", async () => {
    const book = bookOf(test);
    await book.reconcile([GONE], over, FENCE);
    await book.reconcile([], unknown, FENCE);
    expect(await told()).to.have.length(1);
    expect(await test.redis.hkeys(test.keys.alerts)).to.deep.equal([GONE.id]);
  });

  it("writes nothing without the lease, and throws", async () => {
    const book = bookOf(test);
    await book.reconcile([GONE], over, FENCE);
    await test.redis.set(test.keys.lease, FENCE.replace("3", "4"));
    for (const alerts of [[GONE, SILENT], []]) {
      const failure = await book
        .reconcile(alerts, over, FENCE)
        .catch((err: unknown) => err);
      expect(failure).to.be.instanceOf(FencedError);
    }
    expect(await told()).to.have.length(1);
  });
});
