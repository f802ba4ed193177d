import { hrtime } from "node:process";

/** Monotonic ms that all threads of the process agree on: `performance.now()` starts anew in each of them. */
export function createSharedClock(): () => number {
  const [seconds, nanoseconds] = hrtime();
  const offsetMs = seconds * 1000 + nanoseconds / 1e6 - performance.now();
  return () => performance.now() + offsetMs;
}
