import type { RequestHandler } from "express";
import type { Flags } from "../../lib/client/client.js";
import type { Side } from "../../lib/telemetry/telemetry.js";
import { StoreUnavailable } from "./errors.js";

/**
 * While the flag is off or still unknown, prod rejects requests for the feature. The canary always serves them, because the
 * feature is tested there.
 */
export function createFeatureGate(options: {
  role: Side;
  flagName: string;
  flags: Pick<Flags, "require" | "whyUnknown">;
}): RequestHandler {
  const { role, flagName, flags } = options;
  const requireFlag = flags.require(flagName);
  return (request, response, next) => {
    if (role === "canary") {
      next();
      return;
    }
    if (flags.whyUnknown !== null) throw new StoreUnavailable();
    requireFlag(request, response, next);
  };
}
