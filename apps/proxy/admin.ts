import express, { type Express, type RequestHandler } from "express";

/** What `GET /status` answers. */
export interface ProxyStatus {
  split: string;
  canary: { open: boolean; because: string | null };
  /** Value and age are null before Redis has answered. */
  flag: { value: boolean | null; confirmedAgoMs: number | null };
  lease: { required: boolean; freshForMs: number };
  requests: { prod: number; canary: number };
}

export interface AdminSource {
  readStatus: () => ProxyStatus;
  isDraining: () => boolean;
  answerMetrics: RequestHandler;
}

export function createAdmin(source: AdminSource): Express {
  const admin = express();
  admin.disable("x-powered-by");
  admin.get(
    "/status",
    (_request, response) => void response.json(source.readStatus()),
  );
  admin.get("/metrics", source.answerMetrics);
  admin.get(
    "/healthz",
    (_request, response) => void response.json({ status: "ok" }),
  );
  admin.get("/readyz", (_request, response) => {
    const draining = source.isDraining();
    response
      .status(draining ? 503 : 200)
      .json({ status: draining ? "draining" : "ready" });
  });
  admin.use((_request, response) => {
    response
      .status(404)
      .json({ error: "not found: try /status, /metrics, /healthz or /readyz" });
  });
  return admin;
}
