import { EventEmitter } from "node:events";
import { expect } from "chai";
import type { Redis } from "ioredis";
import { awaitFirstAnswer } from "../../../apps/app/first-answer.js";

const LONG_MS = 60_000;

/** A connection and a flag that become ready on demand. */
function prepare() {
  const redis = Object.assign(new EventEmitter(), { status: "connecting" });
  const changes = new EventEmitter();
  const flag = {
    current: undefined,
    onChange: (listener: () => void) => changes.once("change", listener),
  };
  const wait = (timeoutMs: number) => {
    const progress = { done: false };
    const ended = awaitFirstAnswer({
      redis: redis as unknown as Redis,
      flag,
      timeoutMs,
    }).then(() => (progress.done = true));
    return { progress, ended };
  };
  return {
    wait,
    connect: () => redis.emit("ready"),
    read: () => changes.emit("change"),
  };
}

describe("the app's wait for Redis's first answer", () => {
  it("ends when the store is connected and the flag is known", async () => {
    const { wait, connect, read } = prepare();
    const { progress, ended } = wait(LONG_MS);
    connect();
    await new Promise(setImmediate);
    expect(progress.done).to.equal(false);
    read();
    await ended;
  });

  it("ends without them after the timeout", async () => {
    const { wait, connect } = prepare();
    const { ended } = wait(1);
    connect();
    await ended;
  });
});
