import { expect } from "chai";
import { startStopwatch } from "../support/stopwatch.js";
import { waitFor } from "../support/wait-for.js";

/** Keeps this process from running anything else. */
function stall(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

describe("a test's stopwatch", () => {
  it("does not count the time in which the process was kept from running", () => {
    const watch = startStopwatch();
    stall(300);
    expect(watch.stalledMs).to.be.within(240, 60_000);
    stall(300);
    expect(watch.stalledMs).to.be.at.least(480);
    expect(watch.ranMs).to.be.within(0, 300);
  });

  it("has a wait go on after a stall that is longer than the wait", async () => {
    let looks = 0;
    await waitFor(
      "what is there only some time after the stall",
      () => {
        looks += 1;
        if (looks === 1) stall(500);
        return looks === 3;
      },
      400,
    );
  });

  it("has a wait end that nothing has stalled", async () => {
    const error = await waitFor("nothing", () => false, 50).catch(String);
    expect(error).to.equal("Error: not within 50 ms: nothing (last: false)");
  });
});
