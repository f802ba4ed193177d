import { availableParallelism } from "node:os";
import { expect } from "chai";
import {
  parseWorkers,
  whyNotSeveral,
} from "../../../apps/proxy/workers-setting.js";

describe("proxy workers setting", () => {
  it("takes auto for the cores that there are", () =>
    expect(parseWorkers("auto")).to.equal(availableParallelism()));

  for (const [text, workers] of [
    ["1", 1],
    ["4", 4],
    ["128", 128],
  ] as const)
    it(`reads ${text}`, () => expect(parseWorkers(text)).to.equal(workers));

  for (const text of ["", "0", "129", "-1", "1.5", "2x", "AUTO", "1e2"])
    it(`refuses ${JSON.stringify(text)}`, () =>
      expect(parseWorkers(text)).to.equal(undefined));

  for (const version of ["22.12.0", "22.23.3", "23.1.0", "24.0.0", "26.1.0"])
    it(`allows several on Node ${version}`, () =>
      expect(whyNotSeveral(version)).to.equal(undefined));

  for (const version of ["20.19.0", "20.20.2", "21.7.0", "22.11.0", "23.0.0"])
    it(`says on Node ${version} which one several take`, () =>
      expect(whyNotSeveral(version)).to.equal(
        `more than 1 takes Node 22.12, 23.1 or later, and this is ${version}`,
      ));
});
