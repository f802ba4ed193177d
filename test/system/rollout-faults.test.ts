import { expect } from "chai";
import { onCleanup } from "../support/cleanup.js";
import type { ChildProgram } from "../support/system/child-program.js";
import { untilProxySees, untilWhole } from "../support/system/conditions.js";
import { RedisProgram } from "../support/system/redis-program.js";
import {
  deployCanary,
  deployProd,
  readChanges,
  startRollout,
  untilPhase,
  untilRollout,
} from "../support/system/rollout-watch.js";
import {
  createSystem,
  startLoad,
  startSystem,
} from "../support/system/start-system.js";
import type { System } from "../support/system/system.js";

const ENV = {
  app: { VERSION: "1.0.0" },
  monitor: { VERDICT: "off" },
};

/** Kills the leader. @returns the one that takes over */
async function killLeader(system: System): Promise<ChildProgram> {
  const { lease } = await system.state();
  const isLeader = ({ port }: ChildProgram) =>
    lease?.holder.includes(`:${port}#`) === true;
  const leader = system.monitors.find(isLeader)!;
  const standby = system.monitors.find((monitor) => monitor !== leader)!;
  await leader.end("SIGKILL");
  await standby.logs("leading", 10_000);
  return standby;
}

describe("a rollout whose monitor or Redis is killed", function () {
  this.timeout(120_000);

  for (const phase of ["Progressing", "Paused", "Promoting"] as const)
    it(`goes on with the next monitor while ${phase}, and takes each step once`, async () => {
      const system = await startSystem({ monitors: 2, env: ENV });
      await deployCanary(system, "2.0.0");
      startLoad(system, { perSecond: 100 });
      const held = await startRollout(system, "2.0.0", {
        steps: [
          { weight: 20, for: "4s", requests: 10 },
          { pause: true },
          { weight: 50, for: "1s", requests: 10 },
        ],
      });
      if (phase === "Paused") await held.ask({ verb: "pause" });
      if (phase === "Promoting")
        await held.ask({ verb: "promote", full: true });
      const next = await killLeader(system);
      if (phase === "Paused") {
        expect((await held.rollout()).phase).to.equal("Paused");
        await held.ask({ verb: "resume" });
      }
      if (phase !== "Promoting") {
        await untilRollout(system, "the pause", ({ step }) => step === 1, next);
        await held.ask({ verb: "promote" });
        await untilPhase(system, "Promoting", next);
      }
      await deployProd(system, "2.0.0");
      await untilPhase(system, "Healthy", next);
      const changes = await readChanges(system, 1);
      expect(new Set(changes).size).to.equal(changes.length);
    });

  it("comes back as it was when Redis comes back empty", async () => {
    const redis = await RedisProgram.create();
    onCleanup(() => redis.close());
    await redis.start();
    const system = await createSystem({ redisUrl: redis.url, env: ENV });
    await system.start();
    await untilWhole(system);
    await deployCanary(system, "2.0.0");
    startLoad(system, { perSecond: 100 });
    const held = await startRollout(system, "2.0.0", {
      steps: [
        { weight: 2, for: "1s", requests: 1_000_000 },
        { weight: 50, for: "1h" },
      ],
    });
    await system.redis.set(system.keys.flag("feature"), "true");
    await untilRollout(
      system,
      "the monitor to hold it",
      ({ heldBy }) => heldBy === "requests",
    );
    const before = await held.rollout();
    await redis.kill();
    await redis.start();
    await untilProxySees(system, true, 15_000);
    const after = await untilRollout(
      system,
      "the rollout",
      ({ weight }) => weight === 2,
    );
    expect(after).to.include({ id: 1, phase: "Progressing", step: 0 });
    expect((await held.rollout()).stepStartedAt).to.equal(before.stepStartedAt);
    expect(await system.redis.get(system.keys.flagWeight("feature"))).to.equal(
      "2",
    );
    await untilWhole(system);
    expect((await system.proxyStatus()).weight).to.equal(2);
  });
});
