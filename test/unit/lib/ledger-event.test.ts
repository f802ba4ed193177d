import { expect } from "chai";
import { EVENT_KINDS, parseEvent } from "../../../lib/flag/ledger.js";

const AT = "2026-03-01T12:00:00.000Z";
const FLIP = [
  ...["kind", "flip", "by", "monitor", "reason", "too slow", "at", AT],
  ...["data", '{"flag":"feature","value":false}'],
];

describe("ledger event", () => {
  it("is parsed from the fields of a stream entry", () => {
    expect(parseEvent("1700000000000-3", FLIP)).to.deep.equal({
      id: "1700000000000-3",
      kind: "flip",
      by: "monitor",
      reason: "too slow",
      at: AT,
      data: { flag: "feature", value: false },
    });
  });

  for (const kind of EVENT_KINDS) {
    it(`accepts the kind ${kind}`, () => {
      expect(parseEvent("1-0", [...FLIP, "kind", kind])?.kind).to.equal(kind);
    });
  }

  it("takes its id from the entry, not from the fields", () => {
    expect(parseEvent("1-0", [...FLIP, "id", "2-0"])?.id).to.equal("1-0");
  });

  for (const [what, fields] of [
    ["no fields", []],
    ["an unknown kind", [...FLIP, "kind", "party"]],
    ["data that is not JSON", [...FLIP, "data", "{'a':1}"]],
    ["data that is a list", [...FLIP, "data", "[1]"]],
    ["data null", [...FLIP, "data", "null"]],
    ["no reason", FLIP.filter((text) => !/reason|too slow/.test(text))],
  ] as [string, string[]][]) {
    it(`is rejected with ${what}`, () => {
      expect(parseEvent("1-0", fields)).to.be.undefined;
    });
  }
});
