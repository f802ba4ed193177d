import { expect } from "chai";
import { WindowPairing } from "../../../apps/monitor/verdict/window-pair.js";
import { encodeDecks, type DealtDeck } from "../../../lib/telemetry/decks.js";
import type { Side } from "../../../lib/telemetry/telemetry.js";
import { trafficWindow } from "../../support/monitor/telemetry.js";

const half = (side: Side, at: number, dealt = 3, split = "3:1") => ({
  at,
  data: trafficWindow(side, [], { split, dealt, routes: {} }),
});

describe("window pairing", () => {
  it("joins the two sides of a window in any order", () => {
    const pairing = new WindowPairing();
    expect(pairing.add("p", half("canary", 500, 1), 9)).to.be.undefined;
    const pair = pairing.add("p", half("prod", 500), 10);
    expect(pair).to.include({ atMs: 10, share: 0.25 });
    expect(pair?.prod.dealt).to.equal(3);
    expect(pair?.canary.dealt).to.equal(1);
  });

  it("never joins different windows or proxies, or the same side", () => {
    const pairing = new WindowPairing();
    expect(pairing.add("p", half("prod", 500), 1)).to.be.undefined;
    expect(pairing.add("p", half("canary", 1000), 2)).to.be.undefined;
    expect(pairing.add("q", half("prod", 1000), 3)).to.be.undefined;
    expect(pairing.add("p", half("canary", 1000), 4)).to.be.undefined;
    expect(pairing.add("p", half("prod", 1000), 5)).to.include({ atMs: 5 });
  });

  it("has a pair for each weight of a window in which the weight changed", () => {
    const pairing = new WindowPairing();
    const pairs = [
      half("prod", 500, 98, "49:1"),
      half("canary", 500, 2, "49:1"),
      half("prod", 500, 36, "9:1"),
      half("canary", 500, 4, "9:1"),
    ].flatMap((window) => pairing.add("p", window, 10) ?? []);
    expect(
      pairs.map(({ share, prod, canary }) => [share, prod.dealt, canary.dealt]),
    ).to.deep.equal([
      [0.02, 98, 2],
      [0.1, 36, 4],
    ]);
  });

  it("joins nothing for a proxy that does not count by route", () => {
    const pairing = new WindowPairing();
    pairing.add("p", { at: 1, data: trafficWindow("prod") }, 1);
    const canary = { at: 1, data: trafficWindow("canary") };
    expect(pairing.add("p", canary, 1)).to.be.undefined;
  });

  it("has the decks with slots by Redis's clock", () => {
    const pairing = new WindowPairing();
    const deck = {
      np: 1,
      nc: 1,
      requests: [
        ["r", 9],
        ["r", 8],
      ],
    };
    const decks = [{ slot: 400, ...deck } as DealtDeck];
    const { data } = half("canary", 100_000);
    // The proxy's clock is an hour behind.
    const canary = { at: 100_000, data: { ...data, ...encodeDecks(decks) } };
    pairing.add("p", half("prod", 100_000), 3_700_100);
    const pair = pairing.add("p", canary, 3_700_100);
    expect(pair?.decks).to.deep.equal([{ slot: 14_800, ...deck }]);
  });

  it("goes on with the halves of another one", () => {
    const before = new WindowPairing();
    before.add("p", half("prod", 500), 1);
    const after = new WindowPairing(before.halves);
    expect(after.add("p", half("canary", 500), 2)).to.include({ atMs: 2 });
  });
});
