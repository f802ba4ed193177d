import { expect } from "chai";
import { Dealer, DeckAdmission } from "../../../apps/proxy/dealing/deck.js";
import { OptIn } from "../../../apps/proxy/dealing/opt-in.js";
import { SidePicker } from "../../../apps/proxy/dealing/side-picker.js";
import {
  SIDE_COOKIE,
  StickyClients,
} from "../../../apps/proxy/dealing/sticky-clients.js";

const ASKING = { "x-beta": "1" };
const KEPT = { cookie: `${SIDE_COOKIE}=canary.41.0001` };
const UNKNOWN = { cookie: "a=b" };

/** A picker with sticky clients and an opt-in, at a weight in hundredths of a percent. */
function createPicker(known: {
  isOpen?: boolean;
  isDealing?: boolean;
  weight?: number;
}) {
  const { isOpen = true, isDealing = true, weight = 10_000 } = known;
  const split = { prod: 3, canary: 1 };
  const admission = new DeckAdmission(new Int32Array(1));
  const dealer = new Dealer({ split, readWeight: () => weight, admission });
  return new SidePicker({
    isOpen: () => isOpen,
    isDealing: () => isDealing,
    readEra: () => 0,
    dealer,
    optIn: new OptIn({ header: "x-beta", cookie: "" }),
    sticky: new StickyClients({ dealer, split, readRollout: () => 41n }),
  });
}

describe("proxy side picker", () => {
  for (const [name, headers, by] of [
    ["asks for the canary", ASKING, "asked"],
    ["was dealt before", KEPT, "kept"],
    ["is unknown", UNKNOWN, "dealt"],
  ] as const) {
    it(`gives the canary to a client that ${name}`, () => {
      const picked = createPicker({}).pick(headers, 0);
      expect(picked).to.include({ side: "canary", by });
    });

    it(`gives prod to a client that ${name} while the canary is closed`, () => {
      const picked = createPicker({ isOpen: false }).pick(headers, 0);
      expect(picked).to.deep.equal({ side: "prod", by: "closed" });
    });
  }

  it("deals nothing while the weight is being read, but keeps and takes in others", () => {
    const picker = createPicker({ isDealing: false });
    expect(picker.pick(UNKNOWN, 0)).to.deep.equal({
      side: "prod",
      by: "closed",
    });
    expect(picker.pick(KEPT, 0).side).to.equal("canary");
    expect(picker.pick(ASKING, 0).side).to.equal("canary");
  });

  it("lets in who asks at a weight of 0, and nobody else", () => {
    const picker = createPicker({ weight: 0 });
    expect(picker.pick(ASKING, 0).side).to.equal("canary");
    for (const headers of [KEPT, UNKNOWN])
      expect(picker.pick(headers, 0).side).to.equal("prod");
  });

  for (const [weight, isOpen, areOut] of [
    [2500, true, true],
    [0, true, false],
    [10_000, true, false],
    [2500, false, false],
  ] as const)
    it(`has ${areOut ? "both sides" : "one side only"} out at ${weight / 100} % while the canary is ${isOpen ? "open" : "closed"}`, () => {
      expect(createPicker({ weight, isOpen }).areBothOut(0)).to.equal(areOut);
    });
});
