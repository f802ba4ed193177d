import { monotonicMs } from "../../test/support/system/monotonic.js";
import { SteadyLoad } from "../../test/support/system/steady-load.js";
import {
  untilCanaryServes,
  untilLoadIsPast,
  untilWhole,
} from "../../test/support/system/conditions.js";
import type { System } from "../../test/support/system/system.js";
import { rangeOf } from "../statistics.js";
import { NEVER_BREACH, withSystem } from "../with-system.js";
import type { StallFigures } from "./results.js";

const STALL_MS = 4000;
const SETTLE_MS = 3000;
const PER_SECOND = 40;

/** Counts how often a stall of Redis, which both sides use alike, stops a healthy canary. A quarter of the requests store or read. */
export async function measureStalls(stalls: number): Promise<StallFigures> {
  return await withSystem({ env: NEVER_BREACH }, async (system) => {
    const { port } = system.proxy;
    const loads = [
      { path: "/", perSecond: (PER_SECOND * 3) / 4 },
      { path: "/get/colour", perSecond: PER_SECOND / 8 },
      {
        path: "/set/colour",
        perSecond: PER_SECOND / 8,
        method: "POST",
        body: "blue",
      },
    ].map((load) => new SteadyLoad({ port, ...load }).start());
    const [load] = loads;
    const backAfter: number[] = [];
    let stops = 0;
    for (let stall = 0; stall < stalls; stall++) {
      await untilWhole(system);
      const flips = (await system.events("flip")).length;
      const wokenAt = await stallRedis(system, load!);
      await untilLoadIsPast(load!, wokenAt + SETTLE_MS);
      if ((await system.events("flip")).length > flips) {
        stops += 1;
        await system.setFlag(true);
      }
      await untilCanaryServes(load!, wokenAt);
      const first = load!.byCanary.find(({ dueAt }) => dueAt > wokenAt);
      backAfter.push((first!.dueAt - wokenAt) / 1000);
    }
    for (const each of loads) await each.stop();
    return { stallMs: STALL_MS, stalls, stops, backAfter: rangeOf(backAfter) };
  });
}

/** @returns when it went on */
async function stallRedis(
  { redis }: System,
  load: SteadyLoad,
): Promise<number> {
  const server = await redis.info("server");
  const pid = Number(/^process_id:(\d+)/m.exec(server)?.[1]);
  process.kill(pid, "SIGSTOP");
  try {
    await untilLoadIsPast(load, monotonicMs() + STALL_MS);
  } finally {
    process.kill(pid, "SIGCONT");
  }
  return monotonicMs();
}
