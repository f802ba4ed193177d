import type { RequestHandler } from "express";
import type { Side } from "../../lib/telemetry/telemetry.js";
import { FeatureDisabled, StoreUnavailable } from "./errors.js";

export interface FlagReader {
  /** The last value known, however old; undefined until Redis has answered once. */
  readonly current: { value: boolean } | undefined;
}

/**
 * While the flag is false, or was never known, prod refuses the feature. The canary never does: it is where the feature
 * is tried.
 */
export function createFeatureGate(options: {
  role: Side;
  flagName: string;
  flag: FlagReader;
}): RequestHandler {
  const { role, flagName, flag } = options;
  return (_request, _response, next) => {
    if (role === "prod") {
      if (flag.current === undefined)
        throw new StoreUnavailable("the flag has not been read yet");
      if (!flag.current.value) throw new FeatureDisabled(flagName);
    }
    next();
  };
}
