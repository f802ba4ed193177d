import { readUsage } from "../../apps/agent/process-usage.js";
import type { System } from "../../test/support/system/system.js";
import { waitFor } from "../../test/support/wait-for.js";
import { medianOf, round } from "../statistics.js";
import { NEVER_BREACH, underLoad, withSystem } from "../with-system.js";

const CONNECTIONS = 64;
/** The heap rises and falls with its collections: the median of some readings, spread over further requests. */
const READINGS = 11;
const REQUESTS_BETWEEN = 200;
const PATIENCE_MS = 600_000;

export interface MemoryFigures {
  connections: number;
  /** Resident memory, and what is still in use of the heap after a garbage collection. */
  marks: { requests: number; rssMb: number; liveHeapMb: number }[];
  failures: number;
}

/** The proxy's memory under load, after so many requests. */
export async function measureMemory(
  marks: readonly number[],
): Promise<MemoryFigures> {
  const heapTap = new URL("./heap-tap.js", import.meta.url).href;
  const nodeOptions = { proxy: ["--expose-gc", "--import", heapTap] };
  return await withSystem({ nodeOptions, env: NEVER_BREACH }, (system) =>
    underLoad(
      system,
      { connections: CONNECTIONS, pauseMs: 0 },
      async (readCounts) => {
        const measured: MemoryFigures["marks"] = [];
        for (const requests of marks)
          measured.push({
            requests,
            rssMb: await readRssMb(system, requests),
            liveHeapMb: round(Number(await system.proxy.ask("tell")) / 1e6),
          });
        const { failures } = await readCounts();
        return { connections: CONNECTIONS, marks: measured, failures };
      },
    ),
  );
}

async function readRssMb(system: System, requests: number): Promise<number> {
  const readings: number[] = [];
  while (readings.length < READINGS) {
    const due = requests + readings.length * REQUESTS_BETWEEN;
    await waitFor(
      `${due} requests`,
      async () => {
        const { prod, canary } = (await system.proxyStatus()).requests;
        return prod + canary >= due;
      },
      PATIENCE_MS,
    );
    const usage = await readUsage(system.proxy.pid);
    readings.push((usage?.rssBytes ?? NaN) / 1e6);
  }
  return round(medianOf(readings));
}
