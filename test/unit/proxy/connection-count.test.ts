import { expect } from "chai";
import {
  LocalConnectionCount,
  SharedConnectionCount,
} from "../../../apps/proxy/clients/connection-count.js";

describe("proxy connection count", () => {
  it("counts one thread's connections", () => {
    const count = new LocalConnectionCount();
    expect([count.add(), count.add()]).to.deep.equal([1, 2]);
    count.remove();
    expect(count.open).to.equal(1);
  });

  it("counts all threads' connections in each of them", () => {
    const total = new Int32Array(1);
    const one = new SharedConnectionCount(total, new Int32Array(1));
    const other = new SharedConnectionCount(total, new Int32Array(1));
    expect([one.add(), other.add(), one.add()]).to.deep.equal([1, 2, 3]);
    one.remove();
    expect(other.open).to.equal(2);
  });

  it("takes off what a thread that has ended still had, and no more", () => {
    const total = new Int32Array(1);
    const own = new Int32Array(1);
    const other = new SharedConnectionCount(total, new Int32Array(1));
    const lost = new SharedConnectionCount(total, own);
    for (const count of [lost, lost, other]) count.add();
    lost.remove();
    new SharedConnectionCount(total, own).removeAll();
    expect(other.open).to.equal(1);
    lost.removeAll();
    expect(other.open).to.equal(1);
  });
});
