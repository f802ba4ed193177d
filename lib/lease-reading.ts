import { z } from "zod";
import { parseJson } from "./stream-entry.js";

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

export function encodeLease(holder: string, epoch: number): string {
  return JSON.stringify({ holder, epoch });
}
