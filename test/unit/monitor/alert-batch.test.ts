import { expect } from "chai";
import { pickBatch } from "../../../apps/monitor/alert/batch.js";
import type { OutboxEntry } from "../../../apps/monitor/alert/outbox.js";
import type { EventKind } from "../../../lib/flag/ledger.js";
import { event } from "../../support/alert/alert-event.js";

const GROUP_MS = 10_000;

function entry(atMs: number, kind: EventKind, alert?: string): OutboxEntry {
  const data = alert === undefined ? {} : { alert };
  return { id: `${atMs}-0`, fields: [], event: event({ kind, data }) };
}

const pick = (entries: OutboxEntry[], now: number) =>
  pickBatch(entries, GROUP_MS, now).map(({ id }) => Number(id.split("-")[0]));

describe("the next message", () => {
  it("is none when nothing waits", () => {
    expect(pick([], 0)).to.deep.equal([]);
  });

  it("is about the oldest event that is not an alert, at once", () => {
    const entries = [
      entry(1, "alert", "gone"),
      entry(2, "flip"),
      entry(3, "flip"),
    ];
    expect(pick(entries, 4)).to.deep.equal([2]);
  });

  it("is about all alerts of a kind, ten seconds after the first", () => {
    const entries = [
      entry(1, "silence", "silence"),
      entry(2, "alert", "gone"),
      entry(9000, "silence", "silence"),
      entry(9001, "recovery", "silence:agent@a:1"),
    ];
    expect(pick(entries, 10_000)).to.deep.equal([]);
    expect(pick(entries, 10_001)).to.deep.equal([1, 9000]);
    const [, gone, , over] = entries;
    expect(pick([gone!, over!], 10_002)).to.deep.equal([2]);
  });

  it("keeps the order in which messages were due", () => {
    const entries = [entry(1, "alert", "gone"), entry(20_000, "flip")];
    expect(pick(entries, 30_000)).to.deep.equal([1]);
  });

  it("is about a test at once", () => {
    expect(pick([entry(1, "alert", "test")], 1)).to.deep.equal([1]);
  });

  it("is about an unreadable entry alone", () => {
    const unreadable = { id: "5-0", fields: [], event: undefined };
    expect(pick([unreadable, entry(6, "flip")], 7)).to.deep.equal([5]);
  });

  it("does not wait for a clock that was set back", () => {
    expect(pick([entry(90_000, "alert", "gone")], 1)).to.deep.equal([90_000]);
  });
});
