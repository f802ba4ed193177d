import { expect } from "chai";
import {
  advanceSpell,
  type HealthSpell,
} from "../../../apps/monitor/telemetry/health-spell.js";
import { goneSample, hostSample } from "../../support/monitor/telemetry.js";

const HEALTHY = hostSample("canary");
const GONE = goneSample("canary");
const FAILING = hostSample("canary", {
  probe: { ok: false, ms: 3, status: 503 },
});

/** The alerts after these samples, one per second, with a delay of 10 s. */
function lastingAfter(samples: (typeof HEALTHY)[]): readonly string[] {
  let spell: HealthSpell | undefined;
  samples.forEach((sample, second) => {
    const rule = { now: second * 1000, delayMs: 10_000 };
    spell = advanceSpell(spell, sample, rule);
  });
  return spell?.lasting ?? [];
}

const times = (count: number, ...samples: (typeof HEALTHY)[]) =>
  Array.from({ length: count }, () => samples).flat();

describe("a health spell", () => {
  it("raises no alert before the delay", () => {
    expect(lastingAfter(times(10, GONE))).to.be.empty;
    expect(lastingAfter(times(11, GONE))).to.deep.equal(["gone"]);
    expect(lastingAfter(times(11, FAILING))).to.deep.equal(["probe"]);
  });

  it("starts over after each healthy sample", () => {
    const flapping = times(4, ...times(8, GONE), HEALTHY);
    expect(lastingAfter([...flapping, ...times(8, GONE)])).to.be.empty;
  });

  it("raises one alert for an app that crashes in a loop", () => {
    const loop = times(10, GONE, FAILING);
    expect(lastingAfter(loop)).to.deep.equal(["gone"]);
    expect(lastingAfter([...loop, FAILING, FAILING])).to.deep.equal(["gone"]);
    expect(lastingAfter([...loop, HEALTHY])).to.be.empty;
  });

  it("raises another alert when a failing app is gone for good", () => {
    const unwell = times(12, FAILING);
    expect(lastingAfter([...unwell, GONE])).to.deep.equal(["probe"]);
    expect(lastingAfter([...unwell, ...times(11, GONE)])).to.deep.equal([
      "probe",
      "gone",
    ]);
  });

  it("needs two samples to raise an alert", () => {
    const first = advanceSpell(undefined, GONE, { now: 0, delayMs: 0 });
    expect(first?.lasting).to.be.empty;
    const second = advanceSpell(first, GONE, { now: 1, delayMs: 0 });
    expect(second?.lasting).to.deep.equal(["gone"]);
  });
});
