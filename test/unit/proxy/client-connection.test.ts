import { expect } from "chai";
import { BlockList } from "node:net";
import { createTrust } from "../../../apps/proxy/clients/client-connection.js";

describe("proxy trust in clients", () => {
  it("includes no client with an empty list", () =>
    expect(createTrust(new BlockList())("127.0.0.1")).to.equal(false));

  it("includes listed clients, IPv4 and IPv6", () => {
    const list = new BlockList();
    list.addSubnet("10.0.0.0", 8, "ipv4");
    list.addSubnet("2001:db8::", 32, "ipv6");
    const isTrusted = createTrust(list);
    expect(isTrusted("10.1.2.3")).to.equal(true);
    expect(isTrusted("11.1.2.3")).to.equal(false);
    expect(isTrusted("2001:db8::1")).to.equal(true);
    expect(isTrusted("2001:db9::1")).to.equal(false);
  });
});
