import { setTimeout as sleep } from "node:timers/promises";
import { ClosedLoop } from "../../test/support/system/closed-loop.js";
import type { System } from "../../test/support/system/system.js";
import { waitFor } from "../../test/support/wait-for.js";
import { NEVER_BREACH, withSystem } from "../with-system.js";
import { startDistantLink } from "./distant-link.js";
import type { RestartFigures } from "./results.js";

const CLIENTS = 60;
const PAUSE_MS = 350;
const WARM_UP_MS = 1500;
const DRAIN_MS = 10_000;

/** Counts the requests that clients lose when the proxy's workers are replaced, and when it stops. */
export async function measureRestarts(
  times: number,
  rttsMs: readonly number[],
): Promise<RestartFigures[]> {
  const env = { ...NEVER_BREACH, proxy: { WORKERS: "2" } };
  return await withSystem({ env }, async (system) => {
    const figures: RestartFigures[] = [];
    for (const rttMs of rttsMs)
      for (const [what, restart] of [
        ["reload", reload],
        ["stop", stop],
      ] as const) {
        let [requests, lost] = [0, 0];
        for (let time = 0; time < times; time++) {
          const clients = await underClients(system, rttMs, restart);
          requests += clients.answers + clients.lost.length;
          lost += clients.lost.length;
        }
        figures.push({ what, rttMs, times, requests, lost });
      }
    return figures;
  });
}

/** Clients keep their connections, and leave after a response with `Connection: close`. */
async function underClients(
  system: System,
  rttMs: number,
  restart: (system: System) => Promise<unknown>,
): Promise<ClosedLoop> {
  const link = await startDistantLink(system.proxy.port, rttMs);
  const clients = new ClosedLoop({
    port: link.port,
    path: "/",
    connections: CLIENTS,
    pauseMs: PAUSE_MS,
  });
  try {
    await sleep(WARM_UP_MS);
    await restart(system);
  } finally {
    await clients.stop();
    link.close();
  }
  return clients;
}

async function reload({ proxy }: System): Promise<void> {
  const replaced = () =>
    proxy.log.filter(({ msg }) => msg === "workers replaced").length;
  const before = replaced();
  process.kill(proxy.pid, "SIGHUP");
  await waitFor(
    "the workers to be replaced",
    () => replaced() > before,
    2 * DRAIN_MS,
  );
}

async function stop({ proxy }: System): Promise<void> {
  await proxy.end("SIGTERM");
  await proxy.start();
}
