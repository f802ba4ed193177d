import { expect } from "chai";
import { ConnectionCount } from "../../../apps/proxy/clients/connection-limit.js";

describe("proxy connection count", () => {
  it("shows each thread the connections of all threads", () => {
    const total = new Int32Array(1);
    const one = new ConnectionCount(total, new Int32Array(1));
    const other = new ConnectionCount(total, new Int32Array(1));
    expect([one.add(), other.add(), one.add()]).to.deep.equal([1, 2, 3]);
    one.remove();
    expect(other.open).to.equal(2);
  });

  it("subtracts only an ended thread's open connections", () => {
    const total = new Int32Array(1);
    const own = new Int32Array(1);
    const other = new ConnectionCount(total, new Int32Array(1));
    const lost = new ConnectionCount(total, own);
    for (const count of [lost, lost, other]) count.add();
    lost.remove();
    new ConnectionCount(total, own).removeAll();
    expect(other.open).to.equal(1);
    lost.removeAll();
    expect(other.open).to.equal(1);
  });
});
