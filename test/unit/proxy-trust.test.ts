import { expect } from "chai";
import { BlockList } from "node:net";
import { createTrust } from "../../apps/proxy/trust.js";

describe("proxy trust", () => {
  it("is in nobody with an empty list", () =>
    expect(createTrust(new BlockList())("127.0.0.1")).to.equal(false));

  it("is in the listed, of more peers than it remembers, asked once or again", () => {
    const list = new BlockList();
    list.addSubnet("10.0.0.0", 8, "ipv4");
    list.addSubnet("2001:db8::", 32, "ipv6");
    const isTrusted = createTrust(list);
    for (let turn = 0; turn < 2; turn++) {
      for (let i = 0; i < 1500; i++) {
        const host = `0.${i >> 8}.${i & 255}`;
        expect(isTrusted(`10.${host}`)).to.equal(true);
        expect(isTrusted(`11.${host}`)).to.equal(false);
      }
      expect(isTrusted("2001:db8::1")).to.equal(true);
      expect(isTrusted("2001:db9::1")).to.equal(false);
    }
  });
});
