import { expect } from "chai";
import { parseMoment } from "../../../apps/cli/moment.js";

describe("a moment on the command line", () => {
  const now = Date.parse("2026-11-30T12:00:30Z");

  const read = (text: string) => {
    const at = parseMoment(text, now);
    return at === undefined ? undefined : new Date(at).toISOString();
  };

  it("is an age, a time of day or a date, in UTC without a zone", () => {
    for (const [text, at] of [
      ["90s", "2026-11-30T11:59:00.000Z"],
      ["15m", "2026-11-30T11:45:30.000Z"],
      ["1h", "2026-11-30T11:00:30.000Z"],
      ["2d", "2026-11-28T12:00:30.000Z"],
      ["12:00", "2026-11-30T12:00:00.000Z"],
      ["12:01", "2026-11-29T12:01:00.000Z"],
      ["03:14:15", "2026-11-30T03:14:15.000Z"],
      ["2026-11-30", "2026-11-30T00:00:00.000Z"],
      ["2026-11-30T12:00Z", "2026-11-30T12:00:00.000Z"],
      ["2026-11-30 03:14:15 UTC", "2026-11-30T03:14:15.000Z"],
      ["2026-11-30T12:00:00+01:00", "2026-11-30T11:00:00.000Z"],
      ["2026-11-30T11:22:33.456Z", "2026-11-30T11:22:33.456Z"],
    ] as const)
      expect(read(text), text).to.equal(at);
  });

  it("is nothing else", () => {
    for (const text of [
      "",
      "soon",
      "1w",
      "25:00",
      "2026-13-01",
      "2026-02-30",
      "12",
      "-1h",
    ])
      expect(read(text), text).to.equal(undefined);
  });
});
