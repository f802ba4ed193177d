import { expect } from "chai";
import { FailureLog } from "../../../apps/proxy/exchange/failure-log.js";
import { createMemoryLogger } from "../../support/logger.js";

const CANARY = { side: "canary", name: "10.0.0.7:3002" } as const;
const PROD = { side: "prod", name: "10.0.0.8:3001" } as const;

describe("log of failed upstreams", () => {
  it("logs the first failure at once and counts the others of half a minute", () => {
    const logger = createMemoryLogger();
    const log = new FailureLog(logger);
    const cause = new Error("connect ECONNREFUSED 10.0.0.7:3002");
    for (const now of [0, 1, 29_999, 30_000, 30_001])
      log.note(CANARY, { kind: "unreachable", cause }, now);
    const upstream = "10.0.0.7:3002";
    const told = { side: "canary", upstream, kind: "unreachable", err: cause };
    expect(logger.lines).to.deep.equal([
      {
        level: "warn",
        data: { ...told, unlogged: 0 },
        message: "upstream failed",
      },
      {
        level: "warn",
        data: { ...told, unlogged: 2 },
        message: "upstream failed",
      },
    ]);
  });

  it("logs each upstream and kind on its own", () => {
    const logger = createMemoryLogger();
    const log = new FailureLog(logger);
    const cause = new Error("no");
    log.note(CANARY, { kind: "reset", cause }, 0);
    log.note(CANARY, { kind: "bad-response", cause }, 0);
    log.note(PROD, { kind: "reset", cause }, 0);
    expect(logger.lines).to.have.length(3);
  });
});
