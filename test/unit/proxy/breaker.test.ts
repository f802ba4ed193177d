import { expect } from "chai";
import { Breaker, BREAKER_CELLS } from "../../../apps/proxy/canary/breaker.js";

/** Records one outcome for each letter: p and c succeed on prod and canary, P and C fail. */
function record(outcomes: string, breaker = new Breaker()): Breaker {
  for (const letter of outcomes)
    breaker.record(
      letter.toLowerCase() === "c" ? "canary" : "prod",
      letter === letter.toUpperCase(),
    );
  return breaker;
}

describe("proxy breaker", () => {
  it("trips at the fifth canary failure in a row", () => {
    const breaker = record("ppcpppCpppCpppCpppC");
    expect(breaker.trip).to.equal(undefined);
    expect(breaker.record("canary", true)).to.deep.equal({
      reason: "the canary failed 5 requests in a row, prod 0 of 14",
      failures: 5,
      requests: 5,
      prodFailures: 0,
      prodRequests: 14,
    });
  });

  it("starts a new row after a success", () => {
    expect(record("CCCCcCCCC").trip).to.equal(undefined);
  });

  it("trips at ten failures among the last twenty", () => {
    const breaker = record("cC".repeat(9));
    expect(breaker.trip).to.equal(undefined);
    record("c", breaker);
    expect(breaker.record("canary", true)?.reason).to.equal(
      "the canary failed 10 of its last 20 requests, prod 0 of 0",
    );
  });

  it("forgets outcomes older than twenty requests", () => {
    expect(record("cCc".repeat(40)).trip).to.equal(undefined);
  });

  it("does not trip when prod fails as well", () => {
    expect(record("PCPCPCPCPCPCPC").trip).to.equal(undefined);
    expect(record("PppppcC".repeat(20)).trip?.reason).to.equal(
      "the canary failed 10 of its last 20 requests, prod 4 of 20",
    );
    expect(record("PpppcC".repeat(20)).trip).to.equal(undefined);
  });

  it("trips for a row of failures even if prod fails sometimes", () => {
    expect(record("PpppCpppCPppCpppCpppC").trip).not.to.equal(undefined);
  });

  it("stays tripped until it is reset, whatever the outcomes", () => {
    const breaker = record("CCCCC");
    const { trip } = breaker;
    expect(record("ccccccccccccccccccccCCCCC", breaker).trip).to.equal(trip);
    breaker.reset();
    expect(breaker.trip).to.equal(undefined);
  });

  it("reports a trip once", () => {
    const breaker = record("CCCCC");
    expect(breaker.record("canary", true)).to.equal(undefined);
  });

  it("ignores canary failures of requests that began before a reset", () => {
    for (const before of ["", "CCCCC"]) {
      const breaker = new Breaker();
      const { era } = breaker;
      record(before, breaker);
      breaker.reset();
      for (let i = 0; i < 10; i++)
        expect(breaker.record("canary", true, era)).to.equal(undefined);
      expect(record("CCCC", breaker).trip).to.equal(undefined);
      expect(record("C", breaker).trip).not.to.equal(undefined);
    }
  });

  it("starts with an empty history after a reset", () => {
    const breaker = record("CCCCC");
    breaker.reset();
    expect(record("CCCC", breaker).trip).to.equal(undefined);
    expect(record("C", breaker).trip).not.to.equal(undefined);
  });
});

describe("proxy breaker in several threads", () => {
  function createTwo(): [Breaker, Breaker] {
    const cells = new Int32Array(BREAKER_CELLS);
    return [new Breaker(cells), new Breaker(cells)];
  }

  it("counts the outcomes of all threads and trips in all at once", () => {
    const [one, other] = createTwo();
    for (const breaker of [one, other, one, other])
      expect(breaker.record("canary", true)).to.equal(undefined);
    expect(one.record("canary", true)).to.include({ failures: 5 });
    expect(other.isTripped).to.equal(true);
    expect(other.record("canary", true)).to.equal(undefined);
  });

  it("has the reason in a thread that learned the trip", () => {
    const [one, other] = createTwo();
    record("CCCCC", one);
    expect(other.trip).to.equal(undefined);
    expect(other.learn(one.trip!, one.era)).to.equal(true);
    expect(other.trip).to.deep.equal(one.trip);
  });

  it("ignores the report of a trip that was followed by a reset or another trip", () => {
    const [one, other] = createTwo();
    record("CCCCC", one);
    const { era } = one;
    const trip = one.trip!;
    other.reset();
    expect(other.learn(trip, era)).to.equal(false);
    record("CCCCC", one);
    expect(other.learn(trip, era)).to.equal(false);
    expect(other.trip).to.equal(undefined);
    other.reset();
    // The reset came before the thread read the era of its trip.
    expect(other.learn(trip, other.era)).to.equal(false);
  });

  it("is reset in all threads at once, with an empty history", () => {
    const [one, other] = createTwo();
    record("CCCCC", one);
    other.reset();
    expect(one.isTripped).to.equal(false);
    expect(one.trip).to.equal(undefined);
    expect(record("CCCC", one).isTripped).to.equal(false);
  });

  it("keeps counting after a reset while it was closed", () => {
    const [one, other] = createTwo();
    record("CCCC", one);
    other.reset();
    expect(record("C", one).isTripped).to.equal(false);
    expect(record("CCCC", one).isTripped).to.equal(true);
  });
});
