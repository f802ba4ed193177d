import { expect } from "chai";
import { parseTelemetry } from "../../../lib/telemetry/telemetry.js";
import { createSeededRandom } from "../../support/seeded-random.js";
import {
  goneSample,
  hostSample,
  trafficWindow,
} from "../../support/monitor/telemetry.js";

/** A stream entry's flat field list. */
function fields(entry: Record<string, unknown>): string[] {
  return Object.entries(entry).flatMap(([name, value]) => [
    name,
    typeof value === "string" ? value : JSON.stringify(value),
  ]);
}

function traffic(data: object = {}): string[] {
  return fields({
    kind: "traffic",
    source: "proxy@edge1:8080",
    at: "1700000000000",
    data: { ...trafficWindow("canary", [12, 1000]), ...data },
  });
}

const ROUTE = { requests: 1, errors: 0, served: 1, latency: [[1, 1]] };

function host(data: object = {}): string[] {
  return fields({
    kind: "host",
    source: "agent@web1:3101",
    at: "1700000000000",
    data: { ...hostSample("prod"), ...data },
  });
}

describe("telemetry entry", () => {
  it("is parsed as the window that was written", () => {
    const window = trafficWindow("canary", [12, 1000], {
      waiting: [[240, 2]],
      windowMs: 500,
      split: "3:1",
      canaryOpen: false,
      because: "flag is false",
    });
    expect(parseTelemetry(traffic(window))).to.deep.equal({
      kind: "traffic",
      source: "proxy@edge1:8080",
      at: 1_700_000_000_000,
      data: window,
    });
  });

  it("is parsed as the sample that was written, also of an app that is down", () => {
    for (const sample of [hostSample("prod"), goneSample("prod")])
      expect(parseTelemetry(host(sample))).to.deep.equal({
        kind: "host",
        source: "agent@web1:3101",
        at: 1_700_000_000_000,
        data: sample,
      });
  });

  it("may have fields of a later version", () => {
    expect(parseTelemetry([...traffic({ later: 1 }), "more", "x"])).to.include({
      kind: "traffic",
    });
  });

  for (const [what, entry] of [
    ["no fields", []],
    ["a name without a value", ["kind"]],
    ["no data", ["kind", "traffic", "source", "p", "at", "1"]],
    ["data that is not JSON", [...traffic(), "data", "{"]],
    ["data that is no object", [...traffic(), "data", "[]"]],
    ["data null", [...traffic(), "data", "null"]],
    ["an unknown kind", [...traffic(), "kind", "weather"]],
    ["the other kind's data", [...host(), "kind", "traffic"]],
    ["no source", [...traffic(), "source", ""]],
    ["a time that is no number", [...traffic(), "at", "noon"]],
    ["an empty time", [...traffic(), "at", ""]],
    ["a time before all computers", [...traffic(), "at", "-5"]],
    ["an endless time", [...traffic(), "at", "Infinity"]],
    ["an unknown side", traffic({ target: "staging" })],
    ["a negative count", traffic({ requests: -1 })],
    ["half a request", traffic({ errors: 0.5 })],
    ["a negative dealt count", traffic({ dealt: -1 })],
    [
      "a route's negative count",
      traffic({ routes: { "GET /": { ...ROUTE, requests: -3 } } }),
    ],
    [
      "a route's bucket above the top",
      traffic({ routes: { "GET /": { ...ROUTE, latency: [[321, 1]] } } }),
    ],
    ["a count as text", traffic({ requests: "12" })],
    ["a count beyond exact numbers", traffic({ requests: 1e300 })],
    ["a status of two digits", traffic({ status: { 20: 1 } })],
    ["a bucket above the top", traffic({ latency: [[321, 1]] })],
    ["a bucket below 0", traffic({ latency: [[-1, 1]] })],
    ["a bucket between two", traffic({ latency: [[1.5, 1]] })],
    ["a bucket without a count", traffic({ latency: [[1]] })],
    ["a bucket with two counts", traffic({ latency: [[1, 2, 3]] })],
    ["a negative bucket count", traffic({ waiting: [[1, -2]] })],
    ["no arms", traffic({ arms: undefined })],
    ["a negative length", traffic({ windowMs: -1 })],
    ["a negative CPU ratio", host({ cpuRatio: -0.1 })],
    ["a pid as text", host({ pid: "123" })],
    ["no probe", host({ probe: null })],
    ["a probe without a time", host({ probe: { ok: true, status: 200 } })],
    ["a side that is up by word", host({ up: "yes" })],
  ] as [string, string[]][]) {
    it(`is rejected with a sentence for ${what}`, () => {
      const parsed = parseTelemetry(entry);
      expect(parsed).to.have.property("problem").that.is.a("string").not.empty;
    });
  }

  it("is rejected with the place and the kind of the error", () => {
    expect(parseTelemetry([...traffic(), "data", "{"])).to.deep.equal({
      claimedKind: "traffic",
      claimedSource: traffic()[3],
      problem: "data is not JSON",
    });
    expect(parseTelemetry(traffic({ requests: -1 })))
      .to.have.property("problem")
      .that.includes("requests");
  });

  it("never makes the parser throw, however malformed", () => {
    const random = createSeededRandom(4);
    const whole = traffic();
    for (let round = 0; round < 500; round++) {
      const mangled = whole.map((text) => {
        if (random() < 0.7) return text;
        const from = Math.floor(random() * text.length);
        return text.slice(0, from) + text.slice(from + 1 + random() * 4);
      });
      expect(parseTelemetry(mangled)).to.be.an("object");
    }
  });
});
