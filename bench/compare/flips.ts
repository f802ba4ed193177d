import type { EngineName } from "../../apps/proxy/engine.js";
import { createKeys } from "../../lib/keys.js";
import { connectRedis } from "../../test/support/redis-server.js";
import { ChildProgram } from "../../test/support/system/child-program.js";
import { monotonicMs } from "../../test/support/system/monotonic.js";
import { findServicePort } from "../../test/support/system/service-port.js";
import { waitFor } from "../../test/support/wait-for.js";
import { pathOf } from "../with-system.js";
import { CORES, pin } from "./cores.js";
import { rangeOf, type Range } from "./ranges.js";
import type { Scenario } from "./scenarios.js";
import { readStatus, type RunningEngine, type Stage } from "./stage.js";
import { Wrk } from "./wrk.js";

const CANARY_STARTS_BEFORE = 32;
/** Beyond any measurement's time: it is told to stop. */
const LOAD_SECONDS = 120;

export interface FlipFigures {
  connections: number;
  /** From the SET's being sent to the last request that reached the canary; 0 when that was before. */
  ms: Range | null;
}

/** How long the canary still gets requests once the flag is false, while the proxy has all the load it can take. */
export async function measureFlips(
  stage: Stage,
  options: { engine: EngineName; flips: number; scenario: Scenario },
): Promise<FlipFigures> {
  const { engine: name, flips, scenario } = options;
  const canary = await startCanary(stage);
  const engine = await stage.startEngine(name, canary.port);
  const { connections } = scenario;
  const load = new Wrk({
    scenario,
    port: engine.running.port,
    seconds: LOAD_SECONDS,
    cpu: CORES.load,
    directory: stage.directory,
  });
  try {
    const samples = await flipOften({ stage, engine, canary, flips });
    load.stop();
    await load.answers();
    return { connections, ms: rangeOf(samples) };
  } finally {
    load.stop();
    await stage.end(engine.running);
    await canary.close();
  }
}

async function startCanary({ reaper }: Stage): Promise<ChildProgram> {
  const tap = new URL(
    "../../test/support/system/request-tap.js",
    import.meta.url,
  ).href;
  const canary = new ChildProgram(
    {
      name: "the canary",
      main: pathOf("./compare/canary.js"),
      nodeOptions: ["--import", tap],
      env: {
        PATH: process.env.PATH ?? "",
        PORT: String(await findServicePort()),
      },
      readyMessage: "canary listens",
    },
    reaper,
  );
  await canary.start();
  pin(canary.pid, CORES.load);
  return canary;
}

interface Scene {
  stage: Stage;
  engine: RunningEngine;
  canary: ChildProgram;
  flips: number;
}

async function flipOften({
  stage,
  engine,
  canary,
  flips,
}: Scene): Promise<number[]> {
  const redis = connectRedis(stage.redisUrl);
  const flag = createKeys(engine.keyPrefix).flag("feature");
  const samples: number[] = [];
  try {
    while (samples.length < flips) {
      await redis.set(flag, "true");
      const { length } = await canary.requestStarts();
      await waitFor(
        "canary requests",
        async () =>
          (await canary.requestStarts()).length > length + CANARY_STARTS_BEFORE,
      );
      const sentAt = monotonicMs();
      await redis.set(flag, "false");
      await untilAllAnswered(engine);
      samples.push(Math.max(0, (await canary.lastRequestStart()) - sentAt));
    }
  } finally {
    redis.disconnect();
  }
  return samples;
}

/** Waits until so many further requests came that none of those before can still be under way. */
async function untilAllAnswered(engine: RunningEngine): Promise<void> {
  const count = async () => (await readStatus(engine)).requests.prod;
  const before = await count();
  await waitFor(
    "the load to go on",
    async () => (await count()) > before + 512,
  );
}
