import { expect } from "chai";
import { EventTally } from "../../../apps/monitor/telemetry/event-tally.js";
import { LatencyHistogram } from "../../../lib/telemetry/latency-histogram.js";
import { Metrics, type Family } from "../../../lib/program/metrics.js";

const textOf = (...families: Family[]) =>
  new Metrics({ version: "1.2.3", read: () => families }).text();

describe("the metrics", () => {
  it("contain the release and figures of the process", async () => {
    const text = await textOf();
    expect(text).to.include('serin_build_info{version="1.2.3"} 1\n');
    expect(text).to.match(/^process_cpu_seconds_total \d/m);
    expect(text).to.match(/^nodejs_eventloop_lag_seconds \d/m);
  });

  it("leave out unknown values", async () => {
    const unknown: Family = {
      name: "serin_flag",
      help: "h",
      type: "gauge",
      samples: [],
    };
    expect(await textOf(unknown)).to.not.include("serin_flag");
  });

  it("show exact counts per octave, and the sum within 2.2 %", async () => {
    const latency = new LatencyHistogram();
    for (const ms of [0.1, 0.5, 1, 1.1, 600, 30_000, 40_000])
      latency.record(ms);
    const text = await textOf({
      name: "d_seconds",
      help: "h",
      type: "histogram",
      samples: [[latency, { target: "prod" }]],
    });
    const count = (le: string) =>
      Number(
        new RegExp(
          `d_seconds_bucket\\{target="prod",le="${le}"\\} (\\d+)`,
        ).exec(text)?.[1],
      );
    expect(text).to.include("# TYPE d_seconds histogram\n");
    expect(
      ["0.00025", "0.0005", "0.001", "0.002", "0.512", "1.024"].map(count),
    ).to.deep.equal([1, 2, 3, 4, 4, 5]);
    expect([count("32.768"), count("\\+Inf")]).to.deep.equal([6, 7]);
    expect(text).to.include('d_seconds_count{target="prod"} 7\n');
    const sum = Number(/d_seconds_sum\{target="prod"\} (\S+)/.exec(text)?.[1]);
    const exact = 70.6027;
    expect(sum / exact).to.be.within(0.978, 1.022);
  });

  it("have an exact edge at half a second if those above are counted", async () => {
    const latency = new LatencyHistogram();
    for (const ms of [499, 500, 501, 505]) latency.record(ms);
    const text = await textOf({
      name: "d_seconds",
      help: "h",
      type: "histogram",
      samples: [[latency, { target: "prod" }, 2]],
    });
    expect(text).to.match(
      /le="0\.256"\} 0\n.*le="0\.5"\} 2\n.*le="0\.512"\} 4\n/,
    );
  });

  it("count a latency beyond all buckets only in +Inf", async () => {
    const latency = new LatencyHistogram();
    latency.record(100_000);
    const text = await textOf({
      name: "d_seconds",
      help: "h",
      type: "histogram",
      samples: [[latency, {}]],
    });
    expect(text).to.include('d_seconds_bucket{le="32.768"} 0\n');
    expect(text).to.include('d_seconds_bucket{le="+Inf"} 1\n');
  });
});

describe("the monitor's tally for Prometheus", () => {
  it("limits its labels whatever other programs write", () => {
    const tally = new EventTally();
    tally.onEvent({ kind: "flip", by: "monitor" }, 0, true);
    for (const by of ["x", "y"]) tally.onEvent({ kind: "flip", by }, 0, true);
    tally.onEvent({ kind: "alert", by: "z" }, 0, true);
    tally.onEvent({ kind: "alert", by: "z" }, 0, false);
    expect(Object.fromEntries(tally.flips)).to.deep.equal({
      monitor: 1,
      operator: 0,
      proxy: 0,
      deploy: 0,
      other: 2,
    });
    expect(tally.kinds.get("flip")).to.equal(3);
    expect(tally.kinds.get("alert")).to.equal(1);
  });
});
