import { expect } from "chai";
import { heldUpTime, runningTime } from "../../support/running-time.js";
import { waitFor } from "../../support/wait-for.js";

const HELD_UP_MS = 200;

/** As SIGSTOP does: no timer and no answer comes through meanwhile. */
function holdUp(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, HELD_UP_MS);
}

describe("running time", () => {
  it("goes on while this process waits", async () => {
    const [began, beganRunning] = [performance.now(), runningTime()];
    await waitFor("a while", () => runningTime() - beganRunning > 50);
    expect(performance.now() - began).to.be.above(50);
  });

  it("stands still while this process does not get to run", () => {
    const [began, heldUpBefore] = [runningTime(), heldUpTime()];
    holdUp();
    expect(runningTime() - began).to.be.below(HELD_UP_MS / 2);
    expect(heldUpTime() - heldUpBefore).to.be.above(HELD_UP_MS / 2);
  });

  it("is what a wait may take: one look after a stall is not all it gets", async () => {
    let looks = 0;
    await waitFor(
      "the third look",
      () => {
        looks += 1;
        if (looks === 1) holdUp();
        return looks === 3;
      },
      HELD_UP_MS / 2,
    );
  });

  it("ends a wait that nothing has held up", async () => {
    const error = await waitFor("nothing", () => false, 50).catch(String);
    expect(error).to.equal("Error: not within 50 ms: nothing (last: false)");
  });
});
