import { expect } from "chai";
import { Bag, type BagItem } from "../../../lib/bag.js";
import { createSeededRandom } from "../../support/seeded-random.js";

interface Named extends BagItem {
  name: string;
}

function item(name: string): Named {
  return { name, slot: -1 };
}

function namesOf(bag: Bag<Named>): string[] {
  return [...bag].map(({ name }) => name);
}

describe("bag", () => {
  it("holds items from add to delete", () => {
    const [bag, a, b, c] = [new Bag<Named>(), item("a"), item("b"), item("c")];
    for (const each of [a, b, c]) bag.add(each);
    expect(bag.delete(a)).to.equal(true);
    expect(namesOf(bag)).to.have.members(["b", "c"]);
    expect(bag.delete(c)).to.equal(true);
    expect(bag.delete(b)).to.equal(true);
    expect(namesOf(bag)).to.be.empty;
  });

  it("returns false for an item that it does not hold", () => {
    const [bag, other, a, b] = [new Bag(), new Bag(), item("a"), item("b")];
    bag.add(a);
    other.add(b);
    expect(bag.delete(b)).to.equal(false);
    expect(bag.delete(item("c"))).to.equal(false);
    bag.delete(a);
    expect(bag.delete(a)).to.equal(false);
    expect([...other]).to.deep.equal([b]);
  });

  it("agrees with a Set over 10,000 random steps", () => {
    const random = createSeededRandom(1);
    const [bag, set] = [new Bag<Named>(), new Set<Named>()];
    const items = Array.from({ length: 50 }, (_, i) => item(String(i)));
    for (let step = 0; step < 10_000; step++) {
      const it = items[Math.floor(random() * items.length)]!;
      if (set.has(it)) expect(bag.delete(it)).to.equal(set.delete(it));
      else {
        bag.add(it);
        set.add(it);
      }
      expect([...bag]).to.have.length(set.size);
    }
    expect([...bag]).to.have.members([...set]);
  });
});
