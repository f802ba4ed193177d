import type { RequestHandler } from "express";
import type { Side } from "../../lib/telemetry/telemetry.js";
import { Rejection, StoreUnavailable } from "./errors.js";

export interface FlagReader {
  /** The last known value, however old; undefined until Redis has answered once. */
  readonly current: { value: boolean } | undefined;
}

/**
 * While the flag is false or still unknown, prod rejects requests for the feature. The canary always serves them, because the
 * feature is tested there.
 */
export function createFeatureGate(options: {
  role: Side;
  flagName: string;
  flag: FlagReader;
}): RequestHandler {
  const { role, flagName, flag } = options;
  return (_request, _response, next) => {
    if (role === "prod") {
      if (flag.current === undefined) throw new StoreUnavailable();
      if (!flag.current.value)
        throw new Rejection(503, "feature disabled", flagName);
    }
    next();
  };
}
