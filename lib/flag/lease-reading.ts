import * as z from "zod";
import { parseJson } from "../redis/stream-entry.js";

/** How long a lease stands after it was renewed. */
export const LEASE_MS = 3000;

const stored = z.object({ holder: z.string(), epoch: z.int() });

/** The lease as somebody who does not hold it sees it. */
export interface LeaseReading {
  holder: string;
  epoch: number;
  /** Monotonic ms (`performance.now()`) until which it certainly stands. */
  freshUntil: number;
}

/** Null when there is no lease, or none that can be read. */
export function readLease(
  raw: string | null,
  freshUntil: number,
): LeaseReading | null {
  const parsed = stored.safeParse(parseJson(raw));
  return parsed.success ? { ...parsed.data, freshUntil } : null;
}

/** As a state tells it; null when there is none, or none that can be read. @param ttlMs how long it has to live */
export function readLeaseAge(
  raw: string | null,
  ttlMs: number,
): { holder: string; epoch: number; ageMs: number } | null {
  const parsed = stored.safeParse(parseJson(raw));
  const ageMs = Math.max(0, LEASE_MS - ttlMs);
  return parsed.success ? { ...parsed.data, ageMs } : null;
}
