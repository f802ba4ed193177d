import { readConfig } from "../../../apps/monitor/config.js";
import {
  Controller,
  type ControllerContext,
} from "../../../apps/monitor/control/controller.js";
import { VerdictKeeper } from "../../../apps/monitor/control/verdict-keeper.js";
import { Conductor } from "../../../apps/monitor/rollout/conductor.js";
import { Observations } from "../../../apps/monitor/telemetry/observations.js";
import { createKeys } from "../../../lib/redis/keys.js";
import type { Environment } from "../../../lib/settings/settings.js";
import type {
  HostSample,
  Side,
  TrafficWindow,
} from "../../../lib/telemetry/telemetry.js";
import { createMemoryLogger, type LogLine } from "../logger.js";
import { hostSample, trafficWindow } from "./telemetry.js";
import { openTestRedis, type TestRedis } from "../redis/test-redis.js";

export const PROXY = "proxy@edge1:8080";
export const AGENT = "agent@web1:3101";
export const FENCE = '{"holder":"monitor@edge1:8090#a","epoch":3}';

/** A leading controller with its own Redis keys, whose clock and telemetry come from the test. */
export interface Control extends TestRedis {
  context: ControllerContext;
  observations: Observations;
  log: LogLine[];
  /** The rejected fence of each time that it stepped down. */
  stepDowns: () => readonly string[];
  /** Its clock, in ms since the epoch: Redis's time plus all advances. */
  now: () => number;
  /** Advances its clock. */
  pass: (ms: number) => void;
  /** Feeds a window of 500 ms from `PROXY` that ends now. */
  hearTraffic: (
    side: Side,
    latenciesMs: number[],
    fields?: Partial<TrafficWindow>,
  ) => void;
  /** Feeds a sample, taken now. @param source `AGENT` by default */
  hearHost: (side: Side, fields?: Partial<HostSample>, source?: string) => void;
  /** Evaluates all telemetry until now. */
  judge: () => Promise<void>;
  /** Evaluates without new telemetry. */
  nudge: () => Promise<void>;
  /** Passes on what the flag watch has read. */
  remember: Controller["remember"];
  flag: () => Promise<string | null>;
  /** `kind by author` for each event, oldest first. */
  kinds: () => Promise<string[]>;
}

export async function startControl(env: Environment = {}): Promise<Control> {
  const { KEY_PREFIX: prefix } = env;
  const test = openTestRedis(
    prefix === undefined ? {} : { keys: createKeys(prefix) },
  );
  const { redis, keys, ledger, events } = test;
  await redis.set(keys.lease, FENCE);
  let passed = 0;
  // The flips have the time of Redis, which runs on the same machine.
  const now = () => Date.now() + passed;
  let listeningSince: number | undefined;
  const stepDowns: string[] = [];
  const logger = createMemoryLogger();
  const config = readConfig({
    COOLDOWN_MS: "60000",
    ALERT_DELAY_MS: "2000",
    ...env,
  });
  const observations = new Observations(config, () => undefined);
  const verdicts = new VerdictKeeper({ redis, keys, config });
  const judging = { redis, keys, observations, verdicts, config };
  const conductor = new Conductor(judging);
  const context: ControllerContext = {
    redis,
    keys,
    ledger,
    leadership: {
      fence: FENCE,
      isDue: true,
      hold: () => Promise.resolve(),
      stepDown: (fence) => void stepDowns.push(fence),
    },
    redisNow: now,
    observations,
    verdicts,
    conductor,
    config,
    logger,
  };
  const controller = new Controller(context, 0);
  return {
    ...test,
    context,
    observations,
    log: logger.lines,
    stepDowns: () => stepDowns,
    now,
    pass: (ms) => void (passed += ms),
    hearTraffic: (side, latenciesMs, fields) => {
      const data = trafficWindow(side, latenciesMs, {
        windowMs: 500,
        ...fields,
      });
      observations.onTelemetry(
        { kind: "traffic", source: PROXY, at: now(), data },
        now(),
      );
      conductor.onTelemetry(
        { kind: "traffic", source: PROXY, at: now(), data },
        now(),
      );
    },
    hearHost: (side, fields, source = AGENT) => {
      const data = hostSample(side, fields);
      const sample = { kind: "host", source, at: now(), data } as const;
      observations.onTelemetry(sample, now());
      conductor.onTelemetry(sample, now());
    },
    judge: async () => {
      listeningSince = Math.min(listeningSince ?? now(), now());
      observations.onCaughtUp(now(), listeningSince);
      await controller.nudge();
    },
    nudge: () => controller.nudge(),
    remember: (reading) => controller.remember(reading),
    flag: () => redis.get(keys.flag(config.flagName)),
    kinds: async () =>
      (await events()).map(({ kind, by }) => `${kind} by ${by}`),
  };
}
