import { expect } from "chai";
import {
  canaryOpenForMs,
  whyCanaryIsClosed,
} from "../../../apps/proxy/canary/gate.js";
import { SharedGate } from "../../../apps/proxy/canary/shared-gate.js";
import { createSeededRandom } from "../../support/seeded-random.js";

/** Two threads' gates over the same memory, and the clock that both look at. */
function createGates() {
  const clock = { now: 1_000_000 };
  const cell = new BigInt64Array(1);
  const [main, worker] = [0, 1].map(
    () => new SharedGate(cell, () => clock.now),
  );
  return { clock, main: main!, worker: worker! };
}

describe("proxy shared gate", () => {
  it("is closed before anything is published", () => {
    expect(createGates().worker.isOpen).to.equal(false);
  });

  it("opens and closes in every thread with what one of them publishes", () => {
    const { main, worker } = createGates();
    main.publish(5000);
    expect(worker.isOpen).to.equal(true);
    main.publish(0);
    expect(worker.isOpen).to.equal(false);
  });

  it("closes by itself when nothing more is published", () => {
    const { clock, main, worker } = createGates();
    main.publish(5000);
    clock.now += 5000;
    expect(worker.isOpen).to.equal(true);
    clock.now += 1;
    expect(worker.isOpen).to.equal(false);
  });

  it("is open for a fraction of a millisecond less rather than more", () => {
    const { clock, main, worker } = createGates();
    clock.now += 0.5;
    main.publish(10.4);
    clock.now += 10.4;
    expect(worker.isOpen).to.equal(false);
  });

  it("takes what is due already for closed", () => {
    const { main, worker } = createGates();
    main.publish(-1);
    expect(worker.isOpen).to.equal(false);
  });
});

describe("proxy gate's time to run", () => {
  it("ends exactly when the rules close the canary, whatever was read", () => {
    const random = createSeededRandom(11);
    const whole = (below: number) => Math.floor(random() * below);
    for (let i = 0; i < 20_000; i++) {
      const lease = { holder: "m", epoch: 1, freshUntil: 1000 + whole(200) };
      const reading = {
        value: random() < 0.8,
        raw: "true",
        confirmedAt: 900 + whole(200),
        isOutdated: random() < 0.1,
        lease: random() < 0.2 ? null : lease,
      };
      const read = random() < 0.05 ? undefined : reading;
      const rules = { flagStaleMs: whole(200), leaseRequired: random() < 0.5 };
      const now = Math.max(reading.confirmedAt, 1000 + whole(200));
      const openForMs = canaryOpenForMs(read, rules, now);
      if (whyCanaryIsClosed(read, rules, now) !== null) {
        expect(openForMs).to.equal(0);
        continue;
      }
      const last = now + openForMs;
      expect(whyCanaryIsClosed(read, rules, last)).to.equal(null);
      expect(whyCanaryIsClosed(read, rules, last + 1)).not.to.equal(null);
    }
  });
});
