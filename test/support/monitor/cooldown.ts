import { expect } from "chai";
import type { LedgerEvent } from "../../../lib/flag/ledger.js";
import { entryTimeMs } from "../../../lib/redis/stream-entry.js";

/** The monitor estimates Redis's clock from its own clock and the last response. */
const CLOCK_SLACK_MS = 100;

/** Expects a cool-down of this length, and that the canary was not resumed earlier. */
export function expectCooldown(flips: {
  stop: LedgerEvent;
  resume: LedgerEvent;
  cooldownMs: number;
}): void {
  const { stop, resume, cooldownMs } = flips;
  expect(resume.data.cooldownMs).to.equal(cooldownMs);
  const nextTryAt = Date.parse(String(stop.data.nextTryAt));
  expect(entryTimeMs(resume.id)).to.be.at.least(nextTryAt - CLOCK_SLACK_MS);
  // It starts when the breach is detected, slightly before the ledger entry.
  const stoppedAt = entryTimeMs(stop.id);
  const latest = stoppedAt + cooldownMs + CLOCK_SLACK_MS;
  expect(nextTryAt).to.be.within(stoppedAt, latest);
}
