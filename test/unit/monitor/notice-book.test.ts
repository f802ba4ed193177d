import { expect } from "chai";
import { NoticeBook } from "../../../apps/monitor/telemetry/notice-book.js";
import type { NewEvent } from "../../../lib/flag/ledger.js";
import { waitFor } from "../../support/wait-for.js";

const SOURCE = "agent@web1:3101";

function notice(kind: "start" | "stop", by = "agent") {
  const data = { source: SOURCE, version: "1.0.0" };
  const entry = { kind, by, reason: `agent ${kind}`, data };
  return { kind: "notice", source: SOURCE, at: 0, data: entry } as const;
}

describe("the notice book", () => {
  let entered: NewEvent[];
  let fence: string | undefined;
  let failures: number;
  let book: NoticeBook;

  beforeEach(() => {
    entered = [];
    fence = "a fence";
    failures = 0;
    const record = (entry: NewEvent) => {
      if (failures-- > 0) return Promise.reject(new Error("Redis is away"));
      entered.push(entry);
      return Promise.resolve();
    };
    book = new NoticeBook({ record }, () => fence);
  });

  it("enters each notice once and in order, as the agent's", async () => {
    book.onNotice(notice("start", "operator"), 0, "1-0");
    book.onNotice(notice("stop"), 0, "2-0");
    book.onCaughtUp(2, 1);
    book.onCaughtUp(3, 1);
    await waitFor("both", () => entered.length === 2);
    const data = { source: SOURCE, version: "1.0.0" };
    expect(entered).to.deep.equal([
      {
        kind: "start",
        by: "agent",
        reason: "agent start",
        data: { ...data, notice: "1-0" },
      },
      {
        kind: "stop",
        by: "agent",
        reason: "agent stop",
        data: { ...data, notice: "2-0" },
      },
    ]);
  });

  it("enters nothing on standby or while the past is replayed", () => {
    book.onNotice(notice("start"), 0, "1-0");
    book.onCaughtUp(1, 2);
    fence = undefined;
    book.onCaughtUp(2, 1);
    expect(entered).to.deep.equal([]);
  });

  it("ignores a notice that another monitor has entered", () => {
    book.onNotice(notice("start"), 0, "1-0");
    const data = { source: SOURCE, notice: "1-0" };
    const event = { id: "1-1", by: "agent", reason: "", at: "", data };
    book.onEvent({ ...event, kind: "start" });
    book.onCaughtUp(2, 1);
    expect(entered).to.deep.equal([]);
  });

  it("tries again when Redis refused the entry", async () => {
    failures = 1;
    book.onNotice(notice("start"), 0, "1-0");
    book.onCaughtUp(2, 1);
    await waitFor("the failure", () => failures === 0);
    await waitFor("the entry", () => {
      book.onCaughtUp(3, 1);
      return entered.length === 1;
    });
  });
});
