import { expect } from "chai";
import {
  CanaryGate,
  canaryOpenForMs,
  GATE_CELLS,
  whyCanaryIsClosed,
} from "../../../apps/proxy/canary/gate.js";
import { readClockOffsetMs } from "../../../apps/proxy/shared-state.js";
import { createSeededRandom } from "../../support/seeded-random.js";

const NOW = 1_000_000;

/** Two threads' gates over the same memory; the worker's own clock started a second after the main thread's. */
function createGates() {
  const cells = new BigInt64Array(GATE_CELLS);
  const main = new CanaryGate(cells, 5000);
  const worker = new CanaryGate(cells, 6000);
  return {
    worker,
    publish: (openForMs: number, now = NOW) => main.publish(openForMs, now),
    /** @param now by the main thread's clock */
    isOpenAt: (now: number) => worker.isOpenAt(now - 1000),
  };
}

describe("proxy canary gate with several threads", () => {
  it("is closed before the first publication", () => {
    expect(createGates().isOpenAt(NOW)).to.equal(false);
  });

  it("opens and closes in every thread when one thread publishes", () => {
    const { publish, isOpenAt } = createGates();
    publish(5000);
    expect(isOpenAt(NOW)).to.equal(true);
    publish(0);
    expect(isOpenAt(NOW)).to.equal(false);
  });

  it("counts how often it was opened, also after nothing was published in time", () => {
    const { publish, worker } = createGates();
    publish(5000);
    publish(5000, NOW + 1000);
    expect(worker.openings).to.equal(1);
    publish(0, NOW + 2000);
    publish(5000, NOW + 2000);
    expect(worker.openings).to.equal(2);
    publish(5000, NOW + 8000);
    expect(worker.openings).to.equal(3);
  });

  it("closes when nothing more is published", () => {
    const { publish, isOpenAt } = createGates();
    publish(5000);
    expect(isOpenAt(NOW + 5000)).to.equal(true);
    expect(isOpenAt(NOW + 5001)).to.equal(false);
  });

  it("rounds the time until which it is open down", () => {
    const { publish, isOpenAt } = createGates();
    publish(10.4, NOW + 0.5);
    expect(isOpenAt(NOW + 10.9)).to.equal(false);
  });

  it("is closed when the published time has passed", () => {
    const { publish, isOpenAt } = createGates();
    publish(-1);
    expect(isOpenAt(NOW)).to.equal(false);
  });
});

describe("proxy clock shared by threads", () => {
  it("does not fall behind when the thread is interrupted between its clocks", () => {
    let ms = 100;
    let readings = 0;
    const readOwnMs = () => {
      if (readings++ === 0) ms += 50;
      return ms - 20;
    };
    expect(readClockOffsetMs(() => ms, readOwnMs)).to.equal(20);
  });
});

describe("proxy canary gate's open time", () => {
  it("ends exactly when the rules close the canary, for every reading", () => {
    const random = createSeededRandom(11);
    const whole = (below: number) => Math.floor(random() * below);
    for (let i = 0; i < 20_000; i++) {
      const leaseUntil = 1000 + whole(200);
      const reading = {
        value: random() < 0.8,
        raw: "true",
        flip: null,
        confirmedAt: 900 + whole(200),
        isOutdated: random() < 0.1,
        leaseUntil: random() < 0.2 ? null : leaseUntil,
      };
      const read = random() < 0.05 ? undefined : reading;
      const untaken =
        random() < 0.5
          ? undefined
          : { since: 900 + whole(200), because: "OOM" };
      const known = { reading: read, refusal: undefined, untaken };
      const rules = { flagStaleMs: whole(200), leaseRequired: random() < 0.5 };
      const now = Math.max(reading.confirmedAt, 1000 + whole(200));
      const openForMs = canaryOpenForMs(known, rules, now);
      if (whyCanaryIsClosed(known, rules, now) !== null) {
        expect(openForMs).to.equal(0);
        continue;
      }
      const last = now + openForMs;
      expect(whyCanaryIsClosed(known, rules, last)).to.equal(null);
      expect(whyCanaryIsClosed(known, rules, last + 1)).not.to.equal(null);
    }
  });
});
