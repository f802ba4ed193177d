import { expect } from "chai";
import type { Picked } from "../../../apps/proxy/dealing/side-picker.js";
import { RouteTotals } from "../../../apps/proxy/traffic/route-totals.js";
import { TrafficRecorder } from "../../../apps/proxy/traffic/traffic-recorder.js";
import { dealt } from "../../support/dealt.js";

/** Requests with these statuses. */
function record(
  recorder: TrafficRecorder,
  url: string,
  ...statuses: number[]
): void {
  recordAs(dealt("prod"), recorder, url, statuses);
}

function recordAs(
  picked: Picked,
  recorder: TrafficRecorder,
  url: string,
  statuses: readonly number[],
): void {
  for (const status of statuses) {
    const pending = recorder.begin(picked, 0, { method: "GET", url });
    recorder.finish(pending, { status, rescued: false }, 10);
  }
}

const endsOf = (totals: RouteTotals) =>
  Object.fromEntries(
    totals.list().map(({ route, total }) => [route, total.ends]),
  );

describe("the totals of routes", () => {
  it("tell how requests ended, and grow with each window", () => {
    const recorder = new TrafficRecorder(0);
    const totals = new RouteTotals();
    for (let i = 0; i < 2; i++) {
      record(recorder, "/cart/1", 200, 404, 500, 499, 200);
      totals.add(recorder.takeWindow(i));
    }
    expect(endsOf(totals)).to.deep.equal({
      "GET /cart": { served: 4, rejected: 2, failed: 2, left: 2 },
    });
    expect(totals.list()[0]!.total.latency.total).to.equal(10);
  });

  it("count prod's requests while the canary is closed as well", () => {
    const recorder = new TrafficRecorder(0);
    const totals = new RouteTotals();
    recordAs({ side: "prod", by: "closed" }, recorder, "/cart", [200]);
    totals.add(recorder.takeWindow(0));
    expect(endsOf(totals)["GET /cart"]!.served).to.equal(1);
  });

  it("keep sixteen names, although a proxy forgets routes that nobody uses", () => {
    const totals = new RouteTotals();
    for (let i = 0; i < 60; i++) {
      const recorder = new TrafficRecorder(0);
      record(recorder, `/page${i}`, 200);
      totals.add(recorder.takeWindow(0));
    }
    const ends = endsOf(totals);
    expect(Object.keys(ends)).to.have.length(17);
    expect(ends.other!.served).to.equal(44);
  });
});
