import { Router } from "express";
import type { Side } from "../../lib/telemetry/telemetry.js";

export interface Identity {
  role: Side;
  version: string;
  /** The host name. */
  host: string;
}

/** Serves the app's identity on `/`, liveness on `/healthz` and readiness on `/readyz`. */
export function createAbout(
  identity: Identity,
  whyNotReady: () => string | null,
): Router {
  const about = Router();
  about.get("/", (_request, response) => {
    response.json({ message: "Hello from Serin's sample app", ...identity });
  });
  about.get("/healthz", (_request, response) => {
    response.json({ status: "ok", ...identity, pid: process.pid });
  });
  about.get("/readyz", (_request, response) => {
    const because = whyNotReady();
    if (because === null) response.json({ status: "ready" });
    else response.status(503).json({ status: "not ready", because });
  });
  return about;
}
