import { expect } from "chai";
import { Socket } from "node:net";
import {
  AccessLog,
  type Ended,
} from "../../../apps/proxy/exchange/access-log.js";
import { ReceivedRequest } from "../../../apps/proxy/http/received-request.js";
import { createMemoryLogger } from "../../support/logger.js";

function failed(url: string): Ended {
  const request = new ReceivedRequest(new Socket());
  request.url = url;
  return {
    request,
    headers: [],
    readRoute: () => "other",
    side: "prod",
    upstream: {
      side: "prod",
      host: "10.0.0.11",
      port: 3001,
      name: "10.0.0.11:3001",
    },
    status: 500,
    withoutFeature: false,
    canaryStatus: undefined,
    isCut: false,
    waitedMs: 1.26,
    upstreamMs: 1.24,
  };
}

describe("the access log", () => {
  it("writes at most 100 lines a second, and how many it left out", () => {
    const logger = createMemoryLogger();
    const log = new AccessLog(logger, { sampleRatio: 0, slowMs: 1000 });
    for (let i = 0; i < 130; i++) log.note(failed("/"), 5000 + i);
    expect(logger.lines).to.have.length(100);
    log.note(failed("/"), 6000);
    log.note(failed("/"), 6001);
    const last = logger.lines.slice(-2).map(({ data }) => data);
    expect(last).to.containSubset([{ unlogged: 30 }, { unlogged: 0 }]);
  });

  it("writes every line if all requests are logged", () => {
    const logger = createMemoryLogger();
    const log = new AccessLog(logger, { sampleRatio: 1, slowMs: 1000 });
    for (let i = 0; i < 130; i++) log.note(failed("/"), 5000 + i);
    expect(logger.lines).to.have.length(130);
  });

  it("bounds what clients can make long", () => {
    const logger = createMemoryLogger();
    const log = new AccessLog(logger, { sampleRatio: 0, slowMs: 1000 });
    log.note(failed(`/${"x".repeat(5000)}?secret`), 0);
    expect(logger.lines[0]!.data).to.include({
      path: `/${"x".repeat(255)}…`,
      ms: 1.3,
      upstreamMs: 1.2,
    });
  });
});
