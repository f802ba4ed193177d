import type { Layout } from "../../test/support/system/program-specs.js";
import { monotonicMs } from "../../test/support/system/monotonic.js";
import { SteadyLoad } from "../../test/support/system/steady-load.js";
import type {
  System,
  SystemOptions,
} from "../../test/support/system/system.js";
import { waitFor } from "../../test/support/wait-for.js";
import { change, describeSwitchable } from "../detection/measure.js";
import type { Behaviour } from "../detection/switchable-backend.js";
import { round } from "../statistics.js";
import { withSystem } from "../with-system.js";
import type { StopFigures } from "./results.js";

const HEALTHY_MS = 2;
const POLL_PATIENCE_MS = 150_000;

export interface Fault {
  /** What the canary does, for the table. */
  name: string;
  perSecond: number;
  /** After which clients give up. */
  patienceMs?: number;
  /** Of both sides, before; default: 2 ms on the canary alone. */
  healthy?: Behaviour;
  worse: Behaviour;
  env?: SystemOptions["env"];
  /** Happens just before the canary gets worse. */
  before?: (system: System) => Promise<unknown>;
}

export const FAULTS: readonly Fault[] = [
  {
    name: "takes 2 s, and Redis is full",
    perSecond: 30,
    worse: { latencyMs: 2000 },
    before: ({ redis }) => redis.config("SET", "maxmemory", "1"),
  },
  {
    name: "answers 401 to everything",
    perSecond: 30,
    worse: { latencyMs: HEALTHY_MS, status: 401 },
  },
  {
    name: "answers nobody; clients give up after 300 ms",
    perSecond: 30,
    patienceMs: 300,
    worse: { latencyMs: null },
  },
  {
    name: "takes 4 s",
    perSecond: 0.25,
    worse: { latencyMs: 4000 },
  },
];

/** Measures how long the canary stays in with this fault, and how many requests it gets, with default settings. */
export async function measureStop(
  { name, perSecond, patienceMs, healthy, worse, before, env }: Fault,
  options: { runs: number; healthyMs: number },
): Promise<StopFigures> {
  const seconds: number[] = [];
  const canaryRequests: number[] = [];
  const system = {
    describeCanary: describeSwitchable,
    ...(healthy && {
      describeProd: (layout: Layout) => describeSwitchable(layout, "prod"),
    }),
    ...(env && { env }),
  };
  for (let run = 0; run < options.runs; run++)
    await withSystem(system, async (running) => {
      const { canaryApp, prodApp, proxy } = running;
      await change(canaryApp, healthy ?? { latencyMs: HEALTHY_MS });
      if (healthy !== undefined) await change(prodApp, healthy);
      const load = new SteadyLoad({
        port: proxy.port,
        path: "/",
        perSecond,
        ...(patienceMs === undefined ? {} : { patienceMs }),
      }).start();
      const healthyUntil = monotonicMs() + options.healthyMs;
      await waitFor(
        "healthy traffic",
        () => monotonicMs() > healthyUntil,
        2 * options.healthyMs,
      );
      await before?.(running);
      const { atMs, requests } = await change(canaryApp, worse);
      await waitFor(
        "the canary to be out",
        async () => !(await running.proxyStatus()).canary.open,
        POLL_PATIENCE_MS,
      );
      seconds.push(round((monotonicMs() - atMs) / 1000));
      const after = await change(canaryApp, worse);
      canaryRequests.push(after.requests - requests);
      await load.stop();
    });
  return { name, perSecond, seconds, canaryRequests };
}
