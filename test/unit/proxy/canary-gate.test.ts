import { expect } from "chai";
import {
  whyCanaryIsClosed as whyClosed,
  type GateRules,
  type Known,
} from "../../../apps/proxy/canary/gate.js";

type FlagReading = NonNullable<Known["reading"]>;

const NOW = 100_000;
const OPTIONAL = { flagStaleMs: 5000, leaseRequired: false };
const REQUIRED = { flagStaleMs: 5000, leaseRequired: true };

/** A reading of just now, the flag true and the lease standing. */
function reading(changes: Partial<FlagReading> = {}): FlagReading {
  return {
    value: true,
    confirmedAt: NOW,
    isOutdated: false,
    leaseUntil: NOW + 1,
    ...changes,
  };
}

function whyCanaryIsClosed(
  reading: FlagReading | undefined,
  rules: GateRules,
  now: number,
) {
  const [refusal, untaken] = [undefined, undefined];
  return whyClosed({ reading, refusal, untaken }, rules, now);
}

describe("proxy canary gate", () => {
  it("is closed when Redis has not taken its telemetry for FLAG_STALE_MS", () => {
    const untaken = { since: NOW - 5000, because: "OOM" };
    const why = (now: number) =>
      whyClosed(
        { reading: reading(), refusal: undefined, untaken },
        OPTIONAL,
        now,
      );
    expect(why(NOW)).to.be.null;
    expect(why(NOW + 1)).to.equal("telemetry is not taken: OOM");
  });

  it("says why Redis refuses to tell the flag", () => {
    const why = (read: FlagReading | undefined) =>
      whyClosed(
        { reading: read, refusal: "NOPERM", untaken: undefined },
        OPTIONAL,
        NOW,
      );
    expect(why(undefined)).to.equal("flag is unknown: NOPERM");
    expect(why(reading({ confirmedAt: 0 }))).to.equal("flag is stale: NOPERM");
  });

  it("opens while the flag is true, confirmed, and no lease is required", () =>
    expect(whyCanaryIsClosed(reading({ leaseUntil: null }), OPTIONAL, NOW)).to
      .be.null);

  it("opens while the flag is true and the required lease is fresh", () =>
    expect(whyCanaryIsClosed(reading(), REQUIRED, NOW)).to.be.null);

  it("is closed before Redis has answered once", () =>
    expect(whyCanaryIsClosed(undefined, OPTIONAL, NOW)).to.equal(
      "flag is unknown: Redis has not answered yet",
    ));

  it("is closed while the flag is false", () =>
    expect(
      whyCanaryIsClosed(reading({ value: false }), OPTIONAL, NOW),
    ).to.equal("flag is false"));

  it("is closed from a write of the flag until it has been read", () =>
    expect(
      whyCanaryIsClosed(reading({ isOutdated: true }), OPTIONAL, NOW),
    ).to.equal("flag has just been written: it is being read"));

  it("names the flag before its age when it is both false and stale", () => {
    const stale = reading({ value: false, confirmedAt: 0 });
    expect(whyCanaryIsClosed(stale, OPTIONAL, NOW)).to.equal("flag is false");
  });

  it("is open at exactly FLAG_STALE_MS and closed a millisecond later", () => {
    const aged = reading({ confirmedAt: NOW - 5000 });
    expect(whyCanaryIsClosed(aged, OPTIONAL, NOW)).to.be.null;
    expect(whyCanaryIsClosed(aged, OPTIONAL, NOW + 1)).to.equal(
      "flag is stale: Redis does not answer",
    );
  });

  it("is closed when a lease is required and none exists", () =>
    expect(
      whyCanaryIsClosed(reading({ leaseUntil: null }), REQUIRED, NOW),
    ).to.equal("no monitor leads: there is no lease"));

  it("is open to the lease's last millisecond and closed after it", () => {
    expect(whyCanaryIsClosed(reading(), REQUIRED, NOW + 1)).to.be.null;
    expect(whyCanaryIsClosed(reading(), REQUIRED, NOW + 2)).to.equal(
      "no monitor leads: the lease has expired",
    );
  });
});
