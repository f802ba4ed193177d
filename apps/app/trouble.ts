import type { RequestHandler } from "express";

/** How a release is made slow or faulty on purpose, to show what becomes of it. */
export interface Trouble {
  /** How long every answer takes at least. */
  baseLatencyMs: number;
  /** By what that is multiplied. */
  slowdown: number;
  /** Of 1: how many requests fail with 500. */
  errorRatio: number;
}

const HEALTH = new Set(["/healthz", "/readyz"]);

/**
 * Delays and fails every route but the health checks. The delays scatter about the base as a service's would: within half
 * of it and twice as much.
 *
 * @param random uniform in [0, 1)
 */
export function createTrouble(
  { baseLatencyMs, slowdown, errorRatio }: Trouble,
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
