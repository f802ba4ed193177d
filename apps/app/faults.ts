import type { RequestHandler } from "express";

/** Faults of a release, to demonstrate a bad canary. */
export interface Faults {
  /** Base delay of every response. */
  baseLatencyMs: number;
  /** Factor of this delay. */
  slowdown: number;
  /** Share of requests that fail with 500, from 0 to 1. */
  errorRatio: number;
}

const HEALTH = new Set(["/healthz", "/readyz"]);

/**
 * Delays and fails requests, except health checks. Delays vary like those of a real service, between half the base and twice
 * the base.
 *
 * @param random uniform in [0, 1)
 */
export function createFaults(
  { baseLatencyMs, slowdown, errorRatio }: Faults,
  random: () => number,
): RequestHandler {
  return (request, response, next) => {
    if (HEALTH.has(request.path)) {
      next();
      return;
    }
    const proceed = () => {
      if (random() < errorRatio)
        response.status(500).json({ error: "failed on purpose (ERROR_RATIO)" });
      else next();
    };
    const delayMs = baseLatencyMs * slowdown * 2 ** (2 * random() - 1);
    if (delayMs === 0) {
      proceed();
      return;
    }
    const timer = setTimeout(proceed, delayMs);
    response.once("close", () => clearTimeout(timer));
  };
}
