import * as z from "zod";
import { parseJson } from "../redis/stream-entry.js";

/** Duration of a lease from its last renewal. */
export const LEASE_MS = 3000;

const stored = z.object({ holder: z.string(), epoch: z.int() });

/** The lease as read by a program that does not hold it. */
export interface LeaseReading {
  holder: string;
  epoch: number;
  /** Monotonic ms (`performance.now()`) until which it is certainly valid. */
  freshUntil: number;
}

/** Null if there is no lease or it is malformed. */
export function readLease(
  raw: string | null,
  freshUntil: number,
): LeaseReading | null {
  const parsed = stored.safeParse(parseJson(raw));
  return parsed.success ? { ...parsed.data, freshUntil } : null;
}

/** The lease with its age, for reports. Null if there is no lease or it is malformed. @param ttlMs its remaining time */
export function readLeaseAge(
  raw: string | null,
  ttlMs: number,
): { holder: string; epoch: number; ageMs: number } | null {
  const parsed = stored.safeParse(parseJson(raw));
  const ageMs = Math.max(0, LEASE_MS - ttlMs);
  return parsed.success ? { ...parsed.data, ageMs } : null;
}
