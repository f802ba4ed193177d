import { expect } from "chai";
import { createCounts } from "../../../apps/monitor/verdict/evidence/buckets.js";
import {
  type RouteWindow,
  SIDES,
  type Side,
} from "../../../lib/telemetry/telemetry.js";
import { Bets } from "../../../bench/simulate/bets.js";
import {
  healthy,
  slowerBy,
  TestedRelease,
  type Respond,
} from "../../support/monitor/verdict-traffic.js";

const BLOCK_MS = 5000;

/** Creates bets for a release with the same warm-up. */
function follow(release: TestedRelease): Bets {
  const warmUp = createCounts();
  for (const [, stored] of release.test.toStored().warmUps)
    for (const [bucket, count] of stored) warmUp[bucket] = count;
  return new Bets({
    warmUp,
    share: release.share,
    tolerance: release.test.tolerance,
  });
}

function feed(bets: Bets, side: Side, window: RouteWindow | undefined): void {
  let errors = window?.errors ?? 0;
  for (const [fine, count] of window?.latency ?? [])
    for (let i = 0; i < count; i++) bets.add(side, fine, errors-- > 0);
}

describe("simulation bets", () => {
  const spells: [Respond, number][] = [
    [slowerBy(1.15), 60],
    [healthy, 1500],
    [
      (side, route, random) => ({
        ...slowerBy(1.3)(side, route, random),
        isError: side === "canary" && random() < 0.02,
      }),
      14,
    ],
  ];

  it("yield the same evidence as the real test, across blocks and restarts", () => {
    const release = new TestedRelease(61);
    // The comparison of a route starts one window after its warm-up on prod.
    while (release.test.toStored().warmUps.length === 0) release.hear(1);
    const bets = follow(release);
    let block = Math.floor(release.atMs / BLOCK_MS);
    for (const [respond, windows] of spells) {
      release.respond = respond;
      for (let i = 0; i < windows; i++) {
        release.atMs += 500;
        const now = Math.floor(release.atMs / BLOCK_MS);
        if (now > block) bets.endBlock(release.atMs - release.test.startedAt);
        block = now;
        const pair = release.createPair();
        release.test.observe(pair, release.baseline);
        for (const side of SIDES)
          feed(bets, side, pair[side].routes.get("GET /get"));
      }
      const { evidence } = release.judge();
      expect(bets.weigh().total).to.be.closeTo(evidence, 1e-9);
    }
    expect(release.test.toStored().restartsBegun).to.equal(2);
  });
});
