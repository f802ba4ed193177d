import express, { type Express, type RequestHandler } from "express";

/** Serves the agent's own `/healthz`, with `identity`, and `/metrics`. */
export function createHealth(
  identity: { target: string; version: string; host: string },
  answerMetrics: RequestHandler,
): Express {
  const health = express();
  health.disable("x-powered-by");
  health.get("/healthz", (_request, response) => {
    response.json({ status: "ok", ...identity, pid: process.pid });
  });
  health.get("/metrics", answerMetrics);
  health.use((_request, response) => {
    response.status(404).json({ error: "not found: try /healthz or /metrics" });
  });
  return health;
}
