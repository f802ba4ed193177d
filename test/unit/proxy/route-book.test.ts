import { expect } from "chai";
import {
  IDLE_WINDOWS,
  RouteBook,
} from "../../../apps/proxy/traffic/route-book.js";
import { OTHER_ROUTES } from "../../../lib/telemetry/telemetry.js";
import {
  bucketOf,
  TOP_BUCKET,
} from "../../../lib/telemetry/latency-histogram.js";

const OK = {
  status: 200,
  rescued: false,
  side: "prod" as const,
  isDealt: true,
  latencyMs: 8,
};

describe("proxy route book", () => {
  it("counts by method and first path segment, for each side and for prod alone", () => {
    const book = new RouteBook();
    book.count({ method: "GET", url: "/get/a?x=/y" }, OK);
    book.count({ method: "GET", url: "/get?b" }, { ...OK, status: 503 });
    book.count({ method: "GET", url: "/get/b" }, { ...OK, side: "canary" });
    book.count({ method: "POST", url: "/set/a" }, { ...OK, isDealt: false });
    const { prod, canary, alone } = book.take();
    expect(prod).to.deep.equal({
      "GET /get": {
        requests: 2,
        errors: 1,
        served: 1,
        latency: [[bucketOf(8), 2]],
      },
    });
    expect(Object.keys(canary)).to.deep.equal(["GET /get"]);
    expect(Object.keys(alone)).to.deep.equal(["POST /set"]);
    expect(book.take()).to.deep.equal({ prod: {}, canary: {}, alone: {} });
  });

  it("gives made-up paths no place, and never more than fifty routes one", () => {
    const book = new RouteBook();
    for (let i = 0; i < 1000; i++) {
      book.count(
        { method: "GET", url: `/made-up-${i}` },
        { ...OK, status: 404 },
      );
      book.count({ method: "GET", url: `/${"x".repeat(5000)}${i}` }, OK);
      book.count({ method: "GET", url: "http://elsewhere/" }, OK);
    }
    expect(Object.keys(book.take().prod)).to.deep.equal(["other"]);
    for (let i = 0; i < 1000; i++)
      book.count({ method: "GET", url: `/page-${i}` }, OK);
    const { prod } = book.take();
    expect(Object.keys(prod)).to.have.length(51);
    expect(prod.other?.requests).to.equal(950);
  });

  it("gives the place of a route that nobody asks for to another", () => {
    const book = new RouteBook();
    const ask = (page: string) => {
      book.count({ method: "GET", url: `/${page}` }, OK);
    };
    for (let i = 0; i < 50; i++) ask(`old-${i}`);
    const takeTimes = (times: number) => {
      for (let i = 0; i < times; i++) {
        ask("old-0");
        book.take();
      }
    };
    takeTimes(IDLE_WINDOWS);
    ask("early");
    expect(Object.keys(book.take().prod)).to.deep.equal([OTHER_ROUTES]);
    takeTimes(1);
    for (let i = 0; i < 50; i++) ask(`new-${i}`);
    const { prod } = book.take();
    expect(Object.keys(prod)).to.have.length(50);
    expect(prod).not.to.have.property("GET /old-1");
  });

  it("counts a time-out in the top bucket, and no latency where prod answered instead", () => {
    const book = new RouteBook();
    const asked = { method: "GET", url: "/get/a" };
    book.count(asked, OK);
    book.count(asked, { ...OK, side: "canary", status: 502, rescued: true });
    book.count(asked, { ...OK, side: "canary", status: 504, rescued: true });
    expect(book.take().canary["GET /get"]).to.deep.equal({
      requests: 2,
      errors: 2,
      served: 0,
      latency: [[TOP_BUCKET, 1]],
    });
  });
});
