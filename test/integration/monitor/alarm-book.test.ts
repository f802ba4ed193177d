import { expect } from "chai";
import { AlarmBook } from "../../../apps/monitor/control/alarm-book.js";
import { FencedError } from "../../../apps/monitor/leader/leadership.js";
import type { Trouble } from "../../../apps/monitor/telemetry/roster.js";
import { describeEnd } from "../../../apps/monitor/control/sentences.js";
import {
  openTestRedis,
  type TestRedis,
} from "../../support/redis/test-redis.js";

const FENCE = '{"holder":"monitor@edge1:8090#a","epoch":3}';
const GONE: Trouble = {
  id: "gone:agent@web1:3101",
  kind: "alert",
  reason: "the canary app on web1 is gone",
  data: { alert: "gone" },
};
const SILENT: Trouble = {
  id: "silence:proxy@edge1:8080",
  kind: "silence",
  reason: "the proxy proxy@edge1:8080 has fallen silent",
  data: { alert: "silence" },
};
const over = () => true;
const unknown = () => false;

describe("alarm book", () => {
  let test: TestRedis;
  const bookOf = ({ redis, keys, ledger }: TestRedis) =>
    new AlarmBook({ redis, keys, ledger });
  const told = async () =>
    (await test.events()).map(({ kind, reason }) => `${kind}: ${reason}`);

  beforeEach(async () => {
    test = openTestRedis();
    await test.redis.set(test.keys.lease, FENCE);
  });

  it("raises each trouble once, with an event and a mail", async () => {
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

  it("clears each once, with an event and a mail", async () => {
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

  it("raises a trouble again that comes back", async () => {
    const book = bookOf(test);
    for (const troubles of [[GONE], [], [GONE]])
      await book.reconcile(troubles, over, FENCE);
    expect(await test.outbox()).to.have.length(3);
  });

  it("does so once across two books at the same time", async () => {
    const books = [test, openTestRedis(test), openTestRedis(test)].map(bookOf);
    for (const troubles of [[GONE, SILENT], []]) {
      await Promise.all(
        books.map((book) => book.reconcile(troubles, over, FENCE)),
      );
    }
    expect(await test.events()).to.have.length(4);
    expect(await test.outbox()).to.have.length(4);
  });

  it("knows what another book has raised", async () => {
    await bookOf(test).reconcile([GONE], over, FENCE);
    const successor = bookOf(openTestRedis(test));
    await successor.reconcile([GONE], over, FENCE);
    await successor.reconcile([], over, FENCE);
    expect(await told()).to.have.length(2);
  });

  it("clears nothing of which it is unknown whether it is over", async () => {
    const book = bookOf(test);
    await book.reconcile([GONE], over, FENCE);
    await book.reconcile([], unknown, FENCE);
    expect(await told()).to.have.length(1);
    expect(await test.redis.hkeys(test.keys.alerts)).to.deep.equal([GONE.id]);
  });

  it("writes nothing without the lease, and says so", async () => {
    const book = bookOf(test);
    await book.reconcile([GONE], over, FENCE);
    await test.redis.set(test.keys.lease, FENCE.replace("3", "4"));
    for (const troubles of [[GONE, SILENT], []]) {
      const failure = await book
        .reconcile(troubles, over, FENCE)
        .catch((err: unknown) => err);
      expect(failure).to.be.instanceOf(FencedError);
    }
    expect(await told()).to.have.length(1);
  });
});
