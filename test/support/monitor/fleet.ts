import {
  SIDES,
  writeTelemetry,
  type HostSample,
  type Side,
  type Telemetry,
  type TrafficWindow,
} from "../../../lib/telemetry/telemetry.js";
import { onCleanup } from "../cleanup.js";
import { hostSample, times, trafficWindow } from "./telemetry.js";
import type { TestRedis } from "../redis/test-redis.js";
import { waitFor } from "../wait-for.js";

const INTERVAL_MS = 100;

/** Sends the telemetry of a proxy and two agents until the test ends. A test changes it by assignment. */
export interface Fleet {
  readonly proxy: string;
  readonly agents: Readonly<Record<Side, string>>;
  /** The latency of each request of a side, or null for a side without requests. */
  latencyMs: Record<Side, number | null>;
  samples: Record<Side, HostSample>;
  /** Further fields of a side's next window. */
  fieldsOf: (side: Side) => Partial<TrafficWindow>;
  /** Members that send nothing. */
  silent: Set<string>;
}

/** Both sides are healthy, with three requests each in a window of 100 ms. */
export function startFleet({ redis, keys }: TestRedis): Fleet {
  const fleet: Fleet = {
    proxy: "proxy@edge1:8080",
    agents: { prod: "agent@web1:3101", canary: "agent@web2:3102" },
    latencyMs: { prod: 4, canary: 4 },
    samples: {
      prod: hostSample("prod", { host: "web1", pid: 101 }),
      canary: hostSample("canary", { host: "web2", pid: 202 }),
    },
    fieldsOf: () => ({}),
    silent: new Set(),
  };
  const timer = setInterval(() => {
    const telemetry = tell(fleet).filter(
      ({ source }) => !fleet.silent.has(source),
    );
    // A test may have killed Redis.
    if (redis.status === "ready")
      writeTelemetry(redis, keys, telemetry)
        .then(() => confirmFlip({ redis, keys }, fleet))
        .catch(() => undefined);
  }, INTERVAL_MS);
  onCleanup(() => clearInterval(timer));
  return fleet;
}

/** The same, once Redis has its telemetry. */
export async function startHeardFleet(test: TestRedis): Promise<Fleet> {
  const fleet = startFleet(test);
  await waitFor(
    "the fleet's telemetry",
    async () => (await test.redis.xlen(test.keys.telemetry)) > 0,
  );
  return fleet;
}

/** As a proxy does; repeated, which nobody minds. */
async function confirmFlip(
  { redis, keys }: Pick<TestRedis, "redis" | "keys">,
  { proxy, silent }: Fleet,
): Promise<void> {
  const [info, weight] = await Promise.all([
    redis.hgetall(keys.flagInfo("feature")),
    redis.get(keys.flagWeight("feature")),
  ]);
  const { event: flip = null, value } = info;
  if ((flip ?? weight) === null || silent.has(proxy)) return;
  const open = value !== "false";
  const data = {
    open,
    because: open ? null : "flag is false",
    ...(weight !== null && { weight: Number(weight) }),
    flip,
    afterMs: 3,
    inFlight: 0,
    lastCanaryEndedMs: null,
  };
  const at = Date.now();
  await writeTelemetry(redis, keys, [
    { kind: "gate", source: proxy, at, data },
  ]);
}

function tell(fleet: Fleet): Telemetry[] {
  const at = Date.now();
  return SIDES.flatMap((side): Telemetry[] => {
    const latencyMs = fleet.latencyMs[side];
    const data = trafficWindow(
      side,
      latencyMs === null ? [] : times(3, latencyMs),
      {
        windowMs: INTERVAL_MS,
        split: "3:1",
        canaryOpen: true,
        because: null,
        ...fleet.fieldsOf(side),
      },
    );
    return [
      { kind: "traffic", source: fleet.proxy, at, data },
      {
        kind: "host",
        source: fleet.agents[side],
        at,
        data: fleet.samples[side],
      },
    ];
  });
}
