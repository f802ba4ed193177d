import { expect } from "chai";
import {
  renderWrkScript,
  SCENARIOS,
} from "../../../bench/compare/scenarios.js";
import { readWrkCounts, SpoiltRound } from "../../../bench/compare/wrk.js";

const GOOD = {
  requests: 1234,
  bytes: 99_999,
  connect: 0,
  read: 0,
  write: 0,
  status: 0,
  timeout: 0,
};

function output(counts: Partial<typeof GOOD>): string {
  const line = JSON.stringify({ ...GOOD, ...counts });
  return `Running 2s test\n  1 threads\n${line}\n`;
}

describe("wrk counts", () => {
  it("return the number of responses", () => {
    expect(readWrkCounts(output({}))).to.equal(1234);
  });

  for (const kind of ["connect", "read", "write", "status", "timeout"] as const)
    it(`invalidate the round after one ${kind} error`, () => {
      const read = () => readWrkCounts(output({ [kind]: 1 }));
      expect(read).to.throw(SpoiltRound, `${kind} 1`);
    });

  it("invalidate the round without responses or counts", () => {
    const read = () => readWrkCounts(output({ requests: 0 }));
    expect(read).to.throw(SpoiltRound, "no request");
    const readNothing = () => readWrkCounts("unable to connect");
    expect(readNothing).to.throw(SpoiltRound, "unable to connect");
  });
});

describe("wrk script", () => {
  const scriptOf = (name: string) =>
    renderWrkScript(SCENARIOS.find((it) => it.name === name)!);

  it("posts a body of 16 KiB", () => {
    expect(scriptOf("post")).to.include('wrk.body = string.rep("x", 16384)');
  });

  it("sends a browser's headers", () => {
    const script = scriptOf("browser");
    expect(script).to.match(/^wrk\.headers\["Cookie"\] = "session=/m);
    expect(script).to.include(
      'wrk.headers["Sec-Ch-Ua-Platform"] = "\\"Linux\\""',
    );
  });
});
