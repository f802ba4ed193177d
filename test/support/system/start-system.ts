import { onCleanup } from "../cleanup.js";
import { freshKeys, redisUrl } from "../redis/redis-server.js";
import { untilWhole } from "./conditions.js";
import { callInParallel } from "./http-call.js";
import type { Layout, ProgramKind } from "./program-specs.js";
import { SteadyLoad } from "./steady-load.js";
import { System, type SystemOptions } from "./system.js";

/** Shorter than the defaults, where a test would only wait longer and see the same. */
const BRISK: Layout["env"] = {
  app: { SLOW_MS: "700" },
  proxy: { TELEMETRY_INTERVAL_MS: "100" },
  agent: { SAMPLE_INTERVAL_MS: "200" },
  // Not so short that a busy machine's pauses would be alerted of.
  monitor: { ALERT_DELAY_MS: "5000" },
};
/**
 * For a monitor that is to stop the canary for nothing or for something else: under load a stall of the machine makes as many
 * slow requests as a slow canary.
 */
export const NO_LATENCY_RULE = { LATENCY_THRESHOLD_MS: "60000" };
/** Enough for the latency rule: the canary gets a quarter, and it takes 5. */
const SLOW_REQUESTS = 40;

/** A system that is ended with the test, not started yet; against the tests' Redis unless told. */
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

/** A system that runs: the canary gets its share, a monitor leads and hears the proxy and both agents. */
export async function startSystem(
  options: Partial<SystemOptions> = {},
): Promise<System> {
  const system = await createSystem(options);
  await system.start();
  await untilWhole(system);
  return system;
}

/** Requests through the proxy at a steady rate, until stopped or the test ends. */
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

/** Sends as many slow requests through the proxy as make a breach, and has them answered. */
export async function sendSlowRequests(system: System): Promise<void> {
  await callInParallel(SLOW_REQUESTS, {
    port: system.proxy.port,
    path: "/slow",
  });
}
