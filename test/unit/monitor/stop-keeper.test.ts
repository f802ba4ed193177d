import { expect } from "chai";
import { StopKeeper } from "../../../apps/monitor/telemetry/stop-figures.js";
import type { LedgerEvent } from "../../../lib/flag/ledger.js";

const flip = (value: boolean, data: object = {}, id = "1-0"): LedgerEvent => ({
  ...{ id, kind: "flip", by: "monitor", reason: "r", at: "" },
  data: { flag: "feature", value, ...data },
});

function keep(canaryRequests = 10) {
  return new StopKeeper("feature", {
    instanceFigures: () => [],
    sideFigures: (side, now) => ({
      ...{ requests: side === "canary" ? canaryRequests : 30, errors: 0 },
      ...{ p50Ms: now, p95Ms: now, p99Ms: now, windowMs: 10_000 },
    }),
  });
}

describe("the figures of a stop", () => {
  it("are those of the flip, whatever comes after it", () => {
    const stops = keep();
    expect(stops.figures).to.equal(undefined);
    stops.onEvent(flip(false, { rule: "latency" }), 1000);
    stops.onEvent(flip(false, {}, "2-0"), 9000);
    expect(stops.figures).to.deep.include({ event: "1-0", rule: "latency" });
    expect(stops.figures!.sides.canary.p95Ms).to.equal(1000);
  });

  it("end with the resume", () => {
    const stops = keep();
    stops.onEvent(flip(false), 1000);
    stops.onEvent(flip(true), 2000);
    expect(stops.figures).to.equal(undefined);
    stops.onEvent(flip(false), 3000);
    expect(stops.figures).to.deep.include({ rule: null });
  });

  it("are unknown without requests of the canary, and for another flag", () => {
    const idle = keep(0);
    idle.onEvent(flip(false), 1000);
    expect(idle.figures).to.equal(undefined);
    const stops = keep();
    stops.onEvent(flip(false, { flag: "new-checkout" }), 1000);
    expect(stops.figures).to.equal(undefined);
  });
});
