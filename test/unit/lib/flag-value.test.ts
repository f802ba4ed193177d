import { expect } from "chai";
import { parseFlag } from "../../../lib/flag/flag-value.js";

describe("flag value", () => {
  for (const [raw, value, garbled] of [
    [null, true, false],
    ["true", true, false],
    ["false", false, false],
    ["", false, true],
    ["TRUE", false, true],
    ["1", false, true],
    ["true ", false, true],
    ["fasle", false, true],
  ] as const) {
    it(`${JSON.stringify(raw)} counts as ${value}${garbled ? ", garbled" : ""}`, () => {
      expect(parseFlag(raw)).to.deep.equal({ value, garbled });
    });
  }

  it("stays as it was known when it is absent", () => {
    for (const known of [true, false])
      expect(parseFlag(null, known).value).to.equal(known);
    expect(parseFlag("true", false).value).to.equal(true);
  });
});
