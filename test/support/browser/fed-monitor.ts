import { onCleanup } from "../cleanup.js";
import { startFleet, type Fleet } from "../monitor/fleet.js";
import {
  spawnLeader,
  startLeader,
  type MonitorProcess,
  type MonitorProgram,
} from "../programs/monitor-program.js";
import type { Environment, LocalProgram } from "../programs/program.js";
import { openTestRedis, type TestRedis } from "../redis/test-redis.js";
import { waitFor } from "../wait-for.js";

/** A leading monitor that has heard each member of the fleet, whose apps have just started. */
interface Fed<M extends MonitorProgram> {
  test: TestRedis;
  fleet: Fleet;
  monitor: M;
}

/** In the test's process. The test fails if the monitor logs an error. */
export function startFedMonitor(
  env: Environment = {},
): Promise<Fed<MonitorProgram & LocalProgram>> {
  return feed(env, startLeader);
}

/** In a process of its own, which the test can kill or pause. */
export function spawnFedMonitor(
  env: Environment = {},
): Promise<Fed<MonitorProcess>> {
  return feed(env, spawnLeader);
}

async function feed<M extends MonitorProgram>(
  env: Environment,
  start: (test: TestRedis, env: Environment) => Promise<M>,
): Promise<Fed<M>> {
  const test = openTestRedis(
    env.REDIS_URL === undefined ? {} : { url: env.REDIS_URL },
  );
  const fleet = startFleet(test);
  for (const sample of Object.values(fleet.samples))
    sample.startedAt = new Date().toISOString();
  const monitor = await start(test, env);
  onCleanup(() => {
    const error = monitor.log.find(({ level }) => level === "error");
    if (error !== undefined)
      throw new Error(`the monitor logged ${JSON.stringify(error)}`);
  });
  await waitFor("the monitor to hear the fleet", async () => {
    const { hosts, proxies } = await monitor.state();
    return hosts.length === 2 && proxies.length === 1;
  });
  return { test, fleet, monitor };
}
