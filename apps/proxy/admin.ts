import express, { type Express, type RequestHandler } from "express";
import { refuseForeignHosts } from "../../lib/program/foreign-hosts.js";

/** The body of `GET /status`. */
export interface ProxyStatus {
  /** The ratio that holds while no rollout gives a weight. */
  split: string;
  /** The canary's share in percent, by a rollout or by the split. */
  weight: number;
  /** Why a rollout's weight counts as 0; null if it is valid, or there is none. */
  weightProblem: string | null;
  canary: { open: boolean; because: string | null };
  /** Both are null until Redis has answered. */
  flag: { value: boolean | null; confirmedAgoMs: number | null };
  lease: { required: boolean; freshForMs: number };
  /** `because`: why Redis does not take this proxy's telemetry; null while it does. */
  telemetry: { untakenForMs: number; because: string | null };
  requests: { prod: number; canary: number };
}

/** `idle`: every worker has ended, and none has been restarted yet. */
export type Readiness = "ready" | "draining" | "idle";

export interface AdminSource {
  /** What the admin server listens on. */
  host: string;
  readStatus: () => Promise<ProxyStatus>;
  readReadiness: () => Readiness;
  answerMetrics: RequestHandler;
}

export function createAdmin(source: AdminSource): Express {
  const admin = express();
  admin.disable("x-powered-by");
  admin.use(refuseForeignHosts(source.host));
  admin.get(
    "/status",
    async (_request, response) => void response.json(await source.readStatus()),
  );
  admin.get("/metrics", source.answerMetrics);
  admin.get(
    "/healthz",
    (_request, response) => void response.json({ status: "ok" }),
  );
  admin.get("/readyz", (_request, response) => {
    const status = source.readReadiness();
    response.status(status === "ready" ? 200 : 503).json({ status });
  });
  admin.use((_request, response) => {
    response
      .status(404)
      .json({ error: "not found: try /status, /metrics, /healthz or /readyz" });
  });
  return admin;
}
