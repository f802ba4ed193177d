import { expect } from "chai";
import {
  IDLE_MS,
  RouteBook,
  type Outcome,
  type RoutedRequest,
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
};

/** Counts a request of 8 ms. */
function count(
  book: RouteBook,
  asked: { method: string; url: string },
  ended: Omit<RoutedRequest, "method" | "url"> & Outcome = OK,
): void {
  book.count({ ...asked, ...ended }, ended, bucketOf(8));
}

describe("proxy route book", () => {
  it("counts by method and first path segment, for each side and for prod alone", () => {
    const book = new RouteBook();
    count(book, { method: "GET", url: "/get/a?x=/y" });
    count(book, { method: "GET", url: "/get?b" }, { ...OK, status: 503 });
    count(book, { method: "GET", url: "/get/b" }, { ...OK, side: "canary" });
    count(book, { method: "POST", url: "/set/a" }, { ...OK, isDealt: false });
    const { prod, canary, alone } = book.take(0);
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
    expect(book.take(0)).to.deep.equal({ prod: {}, canary: {}, alone: {} });
  });

  it("gives invented paths no entry, and at most fifty routes one each", () => {
    const book = new RouteBook();
    for (let i = 0; i < 1000; i++) {
      count(
        book,
        { method: "GET", url: `/made-up-${i}` },
        { ...OK, status: 404 },
      );
      count(book, { method: "GET", url: `/${"x".repeat(5000)}${i}` });
      count(book, { method: "GET", url: "http://elsewhere/" });
    }
    expect(Object.keys(book.take(0).prod)).to.deep.equal(["other"]);
    for (let i = 0; i < 1000; i++)
      count(book, { method: "GET", url: `/page-${i}` });
    const { prod } = book.take(0);
    expect(Object.keys(prod)).to.have.length(51);
    expect(prod.other?.requests).to.equal(950);
  });

  it("gives the entry of an idle route to another route", () => {
    const book = new RouteBook();
    const ask = (page: string) => {
      count(book, { method: "GET", url: `/${page}` });
    };
    for (let i = 0; i < 50; i++) ask(`old-${i}`);
    const take = (now: number) => Object.keys(book.take(now).prod);
    take(1000);
    ask("old-0");
    take(1000 + IDLE_MS);
    ask("early");
    expect(take(1000 + IDLE_MS)).to.deep.equal([OTHER_ROUTES]);
    ask("old-0");
    take(1001 + IDLE_MS);
    for (let i = 0; i < 50; i++) ask(`new-${i}`);
    const routes = take(1002 + IDLE_MS);
    expect(routes.filter((name) => name.startsWith("GET /new"))).to.have.length(
      49,
    );
    expect(routes).to.include(OTHER_ROUTES);
    expect(routes).not.to.include("GET /old-1");
  });

  it("counts a time-out in the top bucket, and no latency for rescued requests", () => {
    const book = new RouteBook();
    const asked = { method: "GET", url: "/get/a" };
    count(book, asked);
    count(book, asked, { ...OK, side: "canary", status: 502, rescued: true });
    count(book, asked, { ...OK, side: "canary", status: 504, rescued: true });
    expect(book.take(0).canary["GET /get"]).to.deep.equal({
      requests: 2,
      errors: 2,
      served: 0,
      latency: [[TOP_BUCKET, 1]],
    });
  });
});
