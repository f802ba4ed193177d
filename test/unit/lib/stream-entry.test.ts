import { expect } from "chai";
import {
  entryTimeMs,
  parseJson,
  toRecord,
} from "../../../lib/redis/stream-entry.js";

describe("stream entry", () => {
  it("becomes an object of its fields, in which the last duplicate wins", () => {
    expect(toRecord(["a", "1", "b", "", "a", "2"])).to.deep.equal({
      a: "2",
      b: "",
    });
  });

  it("leaves out a name without a value", () => {
    expect(toRecord(["a", "1", "b"])).to.deep.equal({ a: "1" });
  });

  it("contains the time at which Redis added it", () => {
    expect(entryTimeMs("1700000000123-7")).to.equal(1_700_000_000_123);
  });

  it("yields undefined for text that is not JSON", () => {
    expect(parseJson('{"a":[1]}')).to.deep.equal({ a: [1] });
    expect(parseJson("null")).to.be.null;
    for (const text of [null, undefined, "", "{", "undefined"])
      expect(parseJson(text)).to.be.undefined;
  });
});
