import { expect } from "chai";
import type { ClosedLoop, LostRequest } from "./closed-loop.js";

/** A little less than the time for which a proxy that stops keeps idle connections. */
const GRACE_MS = 200;

/**
 * Expects that the clients of a proxy that was told to stop at `stoppedAt` had an answer to every request and were told to
 * go. A client that a busy machine kept from asking in time finds its connection ended; most must not have been.
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
