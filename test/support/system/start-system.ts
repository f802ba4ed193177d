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

/** Receives what is to run at the end. */
type AtEnd = (end: () => Promise<void>) => void;

/**
 * Creates a system without starting it. Default: the tests' Redis.
 *
 * @param atEnd by default, the system is closed after the test
 */
export async function createSystem(
  options: Partial<SystemOptions> = {},
  atEnd: AtEnd = onCleanup,
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
  atEnd(() => system.close());
  return system;
}

/** Starts a system and waits until it is ready. */
export async function startSystem(
  options: Partial<SystemOptions> = {},
  atEnd?: AtEnd,
): Promise<System> {
  const system = await createSystem(options, atEnd);
  await system.start();
  await untilWhole(system);
  return system;
}

/**
 * One system for all tests of the suite that calls this. It starts before the first test and is closed after the last. A
 * test begins with what it needs of the system, and leaves the programs running.
 *
 * @returns a function that tests get the system by
 */
export function shareSystem(
  options: Partial<SystemOptions> = {},
): () => System {
  let system: System | undefined;
  let end: () => Promise<void> = () => Promise.resolve();
  before(async () => {
    system = await startSystem(options, (close) => (end = close));
  });
  after(() => end());
  return () => system!;
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
