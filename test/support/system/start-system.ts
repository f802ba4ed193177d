import { onCleanup } from "../cleanup.js";
import { freshKeys, redisUrl } from "../redis/redis-server.js";
import { untilWhole } from "./conditions.js";
import { callInParallel } from "./http-call.js";
import type { Layout, ProgramKind } from "./program-specs.js";
import { SteadyLoad } from "./steady-load.js";
import { System, type SystemOptions } from "./system.js";

/** Shorter than the defaults, to save time. */
const BRISK: Layout["env"] = {
  app: { SLOW_MS: "700" },
  proxy: { TELEMETRY_INTERVAL_MS: "100" },
  agent: { SAMPLE_INTERVAL_MS: "200" },
  // Long enough that pauses of a busy machine raise no alert.
  monitor: { ALERT_DELAY_MS: "5000" },
};
/**
 * For tests in which the latency rule must not fire: under load a stall of the machine causes as many slow requests as a slow
 * canary.
 */
export const NO_LATENCY_RULE = { LATENCY_THRESHOLD_MS: "60000" };
/** Enough for the latency rule, which needs 5: the canary gets a quarter. */
const SLOW_REQUESTS = 40;

/** Creates a system without starting it. It is closed after the test. Default: the tests' Redis. */
export async function createSystem(
  options: Partial<SystemOptions> = {},
): Promise<System> {
  const env: Layout["env"] = { ...options.env };
  for (const kind of [
    "app",
    "proxy",
    "agent",
    "monitor",
  ] satisfies ProgramKind[])
    env[kind] = { ...BRISK[kind], ...options.env?.[kind] };
  const system = await System.create({
    redisUrl: redisUrl(),
    keys: freshKeys(),
    ...options,
    env,
  });
  onCleanup(() => system.close());
  return system;
}

/** Starts a system and waits until it is ready. */
export async function startSystem(
  options: Partial<SystemOptions> = {},
): Promise<System> {
  const system = await createSystem(options);
  await system.start();
  await untilWhole(system);
  return system;
}

/** Sends requests through the proxy at a steady rate, until stopped or until the test ends. */
export function startLoad(
  system: System,
  load: { path?: string; perSecond?: number } = {},
): SteadyLoad {
  const { path = "/", perSecond = 50 } = load;
  const { port } = system.proxy;
  const started = new SteadyLoad({ port, path, perSecond }).start();
  onCleanup(() => started.stop());
  return started;
}

/** Sends enough slow requests through the proxy for a breach, and waits for the responses. */
export async function sendSlowRequests(system: System): Promise<void> {
  await callInParallel(SLOW_REQUESTS, {
    port: system.proxy.port,
    path: "/slow",
  });
}
