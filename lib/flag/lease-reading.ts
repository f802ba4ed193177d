import * as z from "zod";
import { parseJson } from "../redis/stream-entry.js";

/** Duration of a lease from its last renewal. */
export const LEASE_MS = 3000;

const stored = z.object({ holder: z.string(), epoch: z.int() });

/** Null if there is no lease or it is malformed. @param ttlMs its remaining time */
export function readLease(
  raw: string | null,
  ttlMs: number,
): { holder: string; epoch: number; ageMs: number } | null {
  const parsed = stored.safeParse(parseJson(raw));
  const ageMs = Math.max(0, LEASE_MS - ttlMs);
  return parsed.success ? { ...parsed.data, ageMs } : null;
}
