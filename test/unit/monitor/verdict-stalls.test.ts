import { expect } from "chai";
import { createByComponent } from "../../../apps/monitor/verdict/evidence/deck-bets.js";
import { Epoch } from "../../../apps/monitor/verdict/evidence/stall-guard.js";

const WINDOW_SLOTS = 5;

/** Two decks a slot, each of which wins 1 in the slots of a stall, where the canary is slow, and loses 0.1 elsewhere. */
function epochWith(stalls: readonly [from: number, slots: number][]): Epoch {
  const epoch = new Epoch(0);
  const isIn = (slot: number) =>
    stalls.some(([from, slots]) => slot >= from && slot < from + slots);
  for (let slot = 0; slot < 120; slot++)
    for (let deck = 0; deck < 2; deck++) {
      const winnings = createByComponent().fill(isIn(slot) ? 1 : -0.1);
      const deviations = createByComponent();
      const bets = { winnings, deviations, variances: createByComponent() };
      const slow = Number(isIn(slot));
      epoch.add(slot, bets, { requests: 1, slow });
    }
  return epoch;
}

function wonWithoutStalls(stalls: [number, number][]): number {
  const { winnings, withoutStalls } = epochWith(stalls).sum(WINDOW_SLOTS);
  const slots = stalls.reduce((sum, [, length]) => sum + length, 0);
  expect(winnings[0]).to.be.closeTo(2 * slots - 0.2 * (120 - slots), 1e-9);
  return withoutStalls[0]! + 0.2 * (120 - slots);
}

describe("verdict's guard against stalls", () => {
  it("leaves out two stalls of an epoch, and no third", () => {
    expect(wonWithoutStalls([[10, 5]])).to.be.closeTo(0, 1e-9);
    const two: [number, number][] = [
      [10, 5],
      [60, 5],
    ];
    expect(wonWithoutStalls(two)).to.be.closeTo(0, 1e-9);
    expect(wonWithoutStalls([...two, [100, 5]])).to.be.closeTo(10, 1e-9);
  });

  it("leaves out no more of a longer stall than two windows", () => {
    expect(wonWithoutStalls([[10, 10]])).to.be.closeTo(0, 1e-9);
    expect(wonWithoutStalls([[10, 13]])).to.be.closeTo(6, 1e-9);
  });

  it("leaves out nothing where fewer than four requests are slow", () => {
    expect(wonWithoutStalls([[10, 1]])).to.be.closeTo(2, 1e-9);
  });
});
