import type { Phase } from "../../../lib/rollout/rollout.js";
import type { RolloutReport } from "../../../lib/rollout/rollout-report.js";
import { openRollout, readSpec } from "../redis/test-rollout.js";
import type { ChildProgram } from "./child-program.js";
import { untilState, untilWhole } from "./conditions.js";
import type { System } from "./system.js";

/** Puts a new release on the canary. The one before stays on prod. */
export async function deployCanary(
  system: System,
  version: string,
  env: Record<string, string> = {},
): Promise<void> {
  await system.canaryApp.end("SIGTERM");
  await system.canaryApp.start({ VERSION: version, ...env });
  await untilState(system, `${version} on the canary`, ({ hosts }) =>
    hosts.some(
      (host) => host.target === "canary" && host.version === version && host.up,
    ),
  );
}

/** Puts a release on prod. */
export async function deployProd(
  system: System,
  version: string,
): Promise<void> {
  await system.prodApp.end("SIGTERM");
  await system.prodApp.start({ VERSION: version });
}

/** Starts a rollout of what the canary runs. */
export async function startRollout(
  system: System,
  candidate: string,
  blocks: { steps: unknown; analysis?: unknown },
): Promise<ReturnType<typeof openRollout>> {
  const held = openRollout(system);
  const spec = readSpec({
    rollout: { steps: blocks.steps },
    analysis: blocks.analysis,
  });
  await held.ask({ verb: "start", candidate, stable: "1.0.0", spec });
  await untilWhole(system);
  return held;
}

export async function untilPhase(
  system: System,
  phase: Phase,
  monitor?: ChildProgram,
): Promise<RolloutReport> {
  return await untilRollout(
    system,
    `the phase ${phase}`,
    (rollout) => rollout.phase === phase,
    monitor,
  );
}

export async function untilRollout(
  system: System,
  what: string,
  isMeant: (rollout: RolloutReport) => boolean,
  monitor?: ChildProgram,
): Promise<RolloutReport> {
  return await untilState(
    system,
    what,
    ({ rollout }) => (rollout && isMeant(rollout) ? rollout : undefined),
    monitor,
  );
}

/** The reasons of the rollout's changes, oldest first. */
export async function readChanges(
  system: System,
  id: number,
): Promise<string[]> {
  const events = await system.ledger.readEvents({
    limit: 1000,
    where: ({ data }) => data.rollout === id,
  });
  return events.reverse().map(({ reason }) => reason);
}
