import { expect } from "chai";
import { judgeTargets } from "../../../bench/compare/targets.js";
import type { Results } from "../../../bench/compare/results.js";

const PRODUCT = "serin direct";

function resultsWith(tinyToNginx: number): Results {
  const range = { min: 1, median: tinyToNginx, max: 99, rounds: 5 };
  return {
    at: "2026-01-01T00:00:00.000Z",
    quick: false,
    size: { rounds: 5, seconds: 2, latencySeconds: 3 },
    machine: {
      cpu: "a CPU",
      cores: 2,
      kernel: "6.1.0",
      pinned: "somewhere",
      node: "24.0.0",
      nginx: "1.22.1",
      haproxy: "2.6.12",
      wrk: "4.1.0",
      loadAverage: { start: 0, end: 1 },
    },
    cpu: [
      {
        name: "tiny",
        title: "tiny GET",
        toNginx: { [PRODUCT]: range },
        toHttpProxy: { [PRODUCT]: null },
      },
    ],
    latency: null,
    flips: {},
    split: {},
    memory: {},
    targets: [],
  };
}

function judgeTiny(tinyToNginx: number) {
  return judgeTargets(resultsWith(tinyToNginx)).find(
    ({ figure, product }) =>
      figure === "tiny GET, CPU ÷ nginx's" && product === PRODUCT,
  );
}

describe("benchmark targets", () => {
  it("are checked against the median of the rounds", () => {
    expect(judgeTiny(1.4)?.verdict).to.equal("aim met");
    expect(judgeTiny(1.41)?.verdict).to.equal("accepted");
    expect(judgeTiny(1.8)?.verdict).to.equal("accepted");
    const missed = judgeTiny(1.81);
    expect(missed?.verdict).to.equal("missed");
    expect(missed?.value).to.equal(1.81);
  });

  it("are not met when not measured", () => {
    const verdicts = judgeTargets(resultsWith(1)).map(({ verdict }) => verdict);
    expect(verdicts.filter((it) => it === "not measured")).to.have.length(15);
  });
});
