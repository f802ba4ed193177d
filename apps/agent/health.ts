import express, { type Express } from "express";

/** The agent's own `/healthz`, which repeats `identity`. */
export function createHealth(identity: {
  target: string;
  version: string;
  host: string;
}): Express {
  const health = express();
  health.disable("x-powered-by");
  health.get("/healthz", (_request, response) => {
    response.json({ status: "ok", ...identity, pid: process.pid });
  });
  health.use((_request, response) => {
    response.status(404).json({ error: "not found: try /healthz" });
  });
  return health;
}
