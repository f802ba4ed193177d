import { expect } from "chai";
import { call } from "../support/system/http-call.js";
import { shareSystem } from "../support/system/start-system.js";
import { runningTime } from "../support/running-time.js";
import type { ChildProgram } from "../support/system/child-program.js";
import { waitFor } from "../support/wait-for.js";

const FLIPS = 20;
/** Of most flips; a busy machine may hold some up. */
const PROPAGATION_MS = 100;
/** None of them has waited for a poll, which comes once a second. */
const LATEST_MS = 500;

/** The statuses of `/set` and `/get`. */
async function useFeature({ port }: ChildProgram): Promise<number[]> {
  const set = await call({
    port,
    path: "/set/colour",
    method: "POST",
    body: "blue",
  });
  const get = await call({ port, path: "/get/colour" });
  return [set.status, get.status];
}

describe("the feature's switch", function () {
  this.timeout(60_000);

  const system = shareSystem();

  it("opens and closes /set and /get of prod within 100 ms of each flip, and leaves the canary's open", async () => {
    const { prodApp, canaryApp } = system();
    const delaysMs: number[] = [];
    for (let flip = 0; flip < FLIPS; flip++) {
      const isOn = flip % 2 === 1;
      await system().setFlag(isOn);
      const flippedAt = runningTime();
      const status = isOn ? 200 : 503;
      await waitFor(
        `prod to answer ${status}`,
        async () =>
          (await call({ port: prodApp.port, path: "/get/colour" })).status ===
          status,
      );
      delaysMs.push(runningTime() - flippedAt);
      expect(await useFeature(prodApp)).to.deep.equal([status, status]);
      expect(await useFeature(canaryApp)).to.deep.equal([200, 200]);
    }
    delaysMs.sort((a, b) => a - b);
    expect(delaysMs[FLIPS / 2]).to.be.below(PROPAGATION_MS);
    expect(delaysMs.at(-1)).to.be.below(LATEST_MS);
  });

  it("has prod say which flag is off", async () => {
    await system().setFlag(false);
    const answer = await waitFor("a refusal", async () => {
      const seen = await call({
        port: system().proxy.port,
        path: "/get/colour",
      });
      return seen.status === 503 && seen;
    });
    expect(JSON.parse(answer.body)).to.deep.equal({
      error: "feature disabled",
      flag: "feature",
    });
    expect(answer.servedBy).to.equal("prod");
  });
});
