import { expect } from "chai";
import type { LedgerEvent } from "../../../lib/flag/ledger.js";
import { entryTimeMs } from "../../../lib/redis/stream-entry.js";

/** The monitor reckons Redis's clock from its own and the last answer's. */
const CLOCK_SLACK_MS = 100;

/** Expects that the canary was kept out for a cool-down of this length, and was not let in before its end. */
export function expectCooldown(flips: {
  stop: LedgerEvent;
  resume: LedgerEvent;
  cooldownMs: number;
}): void {
  const { stop, resume, cooldownMs } = flips;
  expect(resume.data.cooldownMs).to.equal(cooldownMs);
  const nextTryAt = Date.parse(String(stop.data.nextTryAt));
  expect(entryTimeMs(resume.id)).to.be.at.least(nextTryAt - CLOCK_SLACK_MS);
  // It runs from when the breach was seen, which is a little before it is in the ledger.
  const stoppedAt = entryTimeMs(stop.id);
  const latest = stoppedAt + cooldownMs + CLOCK_SLACK_MS;
  expect(nextTryAt).to.be.within(stoppedAt, latest);
}
