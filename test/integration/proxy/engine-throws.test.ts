import { expect } from "chai";
import { DirectEngine } from "../../../apps/proxy/engines/direct/engine.js";
import type { Engine } from "../../../apps/proxy/engines/engine.js";
import { startNamedBackend } from "../../support/http/backend.js";
import { onCleanup } from "../../support/cleanup.js";
import { startTestProxy } from "../../support/programs/test-proxy.js";
import type { Side } from "../../../lib/telemetry/telemetry.js";

/** An engine that throws at each request for one side. */
function createThrowingEngine(side: Side): Engine {
  const engine = new DirectEngine({
    ...{
      connectTimeoutMs: 1000,
      responseTimeoutMs: 1000,
      maxHeaderBytes: 16_384,
    },
  });
  onCleanup(() => engine.close());
  return {
    forward: (attempt) => {
      if (attempt.upstream.side === side) throw new Error("cannot send it");
      return engine.forward(attempt);
    },
    close: () => undefined,
  };
}

describe("proxy whose engine throws", () => {
  it("answers 502 and keeps serving", async () => {
    const prod = await startNamedBackend("prod");
    const outcomes: number[] = [];
    const causes: string[] = [];
    const proxy = await startTestProxy({
      prod,
      engine: createThrowingEngine("prod"),
      onOutcome: (_side, status) => outcomes.push(status),
      onFailedAttempt: (_upstream, { cause }) => causes.push(cause.message),
    });
    const client = proxy.connect();
    for (let turn = 0; turn < 2; turn++)
      expect((await client.get("/").response()).status).to.equal(502);
    expect(outcomes).to.deep.equal([502, 502]);
    expect(causes).to.deep.equal(["cannot send it", "cannot send it"]);
  });

  it("lets prod answer requests that it cannot send to the canary, and counts canary errors", async () => {
    const prod = await startNamedBackend("prod");
    const canary = await startNamedBackend("canary");
    const outcomes: [Side, number][] = [];
    const proxy = await startTestProxy({
      ...{ prod, canary, side: "canary" },
      engine: createThrowingEngine("canary"),
      onOutcome: (side, status) => outcomes.push([side, status]),
    });
    const answer = await proxy.connect().get("/").response();
    expect(answer.status).to.equal(200);
    expect(answer.all("x-served-by")).to.deep.equal(["prod"]);
    expect(outcomes).to.deep.equal([["canary", 502]]);
  });
});
