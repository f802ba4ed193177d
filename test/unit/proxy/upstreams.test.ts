import { expect } from "chai";
import { createSeededRandom } from "../../support/seeded-random.js";
import { Upstreams } from "../../../apps/proxy/engines/upstreams.js";

const inOrder = () => 0.999;

function createUpstreams(...ports: number[]): Upstreams {
  const origins = ports.map((port) => new URL(`http://127.0.0.1:${port}`));
  return new Upstreams("prod", origins, inOrder);
}

function take(upstreams: Upstreams, count: number, now = 0): number[] {
  return Array.from({ length: count }, () => upstreams.next(now).port);
}

describe("proxy upstreams", () => {
  it("returns the only URL every time", () =>
    expect(take(createUpstreams(1), 3)).to.deep.equal([1, 1, 1]));

  it("returns several URLs in turn", () =>
    expect(take(createUpstreams(1, 2, 3), 7)).to.deep.equal([
      1, 2, 3, 1, 2, 3, 1,
    ]));

  it("returns each URL once in a round, and all orders alike", () => {
    const origins = [1, 2, 3].map((port) => new URL(`http://a:${port}`));
    const random = createSeededRandom(5);
    const upstreams = new Upstreams("prod", origins, random);
    const seen = new Map<string, number>();
    for (let round = 0; round < 6000; round++) {
      const order = take(upstreams, 3).join(" ");
      seen.set(order, (seen.get(order) ?? 0) + 1);
    }
    expect([...seen.keys()]).to.have.members([
      ...["1 2 3", "1 3 2", "2 1 3", "2 3 1", "3 1 2", "3 2 1"],
    ]);
    // Five standard deviations.
    for (const times of seen.values()) expect(times).to.be.within(856, 1144);
  });

  it("avoids a URL for two seconds after a failed connect", () => {
    const upstreams = createUpstreams(1, 2, 3);
    upstreams.avoid(upstreams.all[1]!, 1000);
    expect(take(upstreams, 4, 1000)).to.deep.equal([1, 3, 1, 3]);
    expect(take(upstreams, 3, 2999)).to.deep.equal([1, 3, 1]);
    expect(take(upstreams, 5, 3000).slice(2)).to.have.members([1, 2, 3]);
  });

  it("returns URLs in turn while all are down", () => {
    const upstreams = createUpstreams(1, 2);
    for (const upstream of upstreams.all) upstreams.avoid(upstream, 0);
    expect(take(upstreams, 40, 1)).to.include.members([1, 2]);
  });

  it("returns the only URL even if it is down", () => {
    const upstreams = createUpstreams(1);
    upstreams.avoid(upstreams.all[0]!, 0);
    expect(take(upstreams, 2, 1)).to.deep.equal([1, 1]);
    expect(upstreams.next(1, upstreams.all[0]).port).to.equal(1);
  });

  it("returns another URL than the one that has just failed", () => {
    const upstreams = createUpstreams(1, 2);
    for (let turn = 0; turn < 4; turn++) {
      expect(upstreams.next(0, upstreams.all[0]).port).to.equal(2);
      expect(upstreams.next(0, upstreams.all[1]).port).to.equal(1);
    }
  });

  it("returns another URL than the failed one, even if it is down", () => {
    const upstreams = createUpstreams(1, 2);
    upstreams.avoid(upstreams.all[0]!, 0);
    upstreams.avoid(upstreams.all[1]!, 0);
    for (let turn = 0; turn < 4; turn++) {
      expect(upstreams.next(1, upstreams.all[0]).port).to.equal(2);
      upstreams.next(1);
    }
  });

  it("reads host and port from the URL, with port 80 by default", () => {
    const origins = ["http://[::1]:3001", "http://app.internal"].map(
      (url) => new URL(url),
    );
    expect(new Upstreams("canary", origins, inOrder).all).to.deep.equal([
      { side: "canary", host: "::1", port: 3001, name: "::1:3001" },
      {
        side: "canary",
        host: "app.internal",
        port: 80,
        name: "app.internal:80",
      },
    ]);
  });
});
