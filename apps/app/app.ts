import express, { type Express } from "express";
import type { Flags } from "../../lib/client/client.js";
import type { Logger } from "../../lib/program/log.js";
import { createAbout, type Identity } from "./about.js";
import { createErrorHandler, Rejection } from "./errors.js";
import { createFeatureGate } from "./feature-gate.js";
import { createFeature, type Store } from "./feature.js";
import { createSlow } from "./slow.js";
import { createFaults, type Faults } from "./faults.js";

export interface AppOptions {
  identity: Identity;
  flagName: string;
  flags: Pick<Flags, "require" | "whyUnknown">;
  store: Store;
  slowMs: number;
  faults?: Faults;
  /** Null when the app is ready for requests. */
  whyNotReady: () => string | null;
  logger: Logger;
}

/** The sample service that Serin releases. */
export function createApp(options: AppOptions): Express {
  const { identity, flagName, flags, store } = options;
  const { role } = identity;
  const app = express();
  app.disable("x-powered-by");
  if (options.faults !== undefined)
    app.use(createFaults(options.faults, Math.random));
  app.use(createAbout(identity, options.whyNotReady));
  app.use(createFeature(store, createFeatureGate({ role, flagName, flags })));
  if (role === "canary") app.use(createSlow(options.slowMs));
  app.use(({ method, path }) => {
    throw new Rejection(404, `not found: ${method} ${path}`);
  });
  app.use(createErrorHandler(options.logger));
  return app;
}
