import { expect } from "chai";
import { Closers } from "../../../lib/program/lifecycle.js";
import { createMemoryLogger } from "../../support/logger.js";

describe("Closers", () => {
  it("close resources once, last opened first", async () => {
    const closed: string[] = [];
    const closers = new Closers(createMemoryLogger());
    closers.add("first", () => void closed.push("first"));
    closers.add("second", () => void closed.push("second"));
    await closers.closeAll();
    await closers.closeAll();
    expect(closed).to.deep.equal(["second", "first"]);
  });

  it("continue when one fails, and log its name", async () => {
    const closed: string[] = [];
    const logger = createMemoryLogger();
    const closers = new Closers(logger);
    closers.add("sound", () => void closed.push("sound"));
    closers.add("broken", () => {
      throw new Error("stuck");
    });
    await closers.closeAll();
    expect(closed).to.deep.equal(["sound"]);
    expect(logger.lines.map(({ data }) => data)).to.have.nested.property(
      "[0].resource",
      "broken",
    );
  });

  it("close a resource at once that opens after the stop began", async () => {
    const closed: string[] = [];
    const closers = new Closers(createMemoryLogger());
    await closers.closeAll();
    closers.add("late", () => void closed.push("late"));
    expect(closed).to.deep.equal(["late"]);
  });
});
