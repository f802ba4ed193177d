import { expect } from "chai";
import type { ClosedLoop, LostRequest } from "./closed-loop.js";

/** Slightly less than a stopping proxy keeps idle connections. */
const GRACE_MS = 200;

/**
 * Expects that all requests succeeded when a proxy was stopped at `stoppedAt`, and that most clients received
 * `Connection: close`. On a busy machine a client may be too late and find its connection closed.
 */
export function expectOrderlyLeave(
  clients: ClosedLoop,
  { connections, stoppedAt }: { connections: number; stoppedAt: number },
): void {
  const wasLate = ({ code, sentAt }: LostRequest) =>
    sentAt > stoppedAt + GRACE_MS &&
    (code === "ECONNRESET" || code === "ECONNREFUSED");
  const late = clients.lost.filter(wasLate);
  expect(clients.lost.filter((lost) => !wasLate(lost))).to.deep.equal([]);
  expect([...clients.statuses.keys()]).to.deep.equal([200]);
  expect(clients.told).to.equal(connections - late.length);
  expect(clients.told).to.be.above(connections / 2);
}
