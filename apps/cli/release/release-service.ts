import { CliError, EXIT } from "../exit-status.js";
import type { Package } from "./packing/package-service.js";
import {
  Interruption,
  PlaybookError,
  runPlaybook,
  type Ansible,
} from "./playbooks/playbook.js";
import { describeCommit } from "./repository/commit.js";
import type { ReleaseRollout } from "./rollout/release-rollout.js";
import {
  fetchStable,
  markStable,
  requireFirst,
  type Repository,
} from "./repository/repository.js";

type Side = "canary" | "prod";

export interface Releasing {
  ansible: Ansible;
  repository: Repository;
  packed: Package;
  /** Undefined to release without steps and verdict. */
  rollout: ReleaseRollout | undefined;
  signal: AbortSignal;
  say: (line: string) => void;
}

/**
 * Puts a release on the canary, through the steps of its rollout, and on prod host by host. If it is aborted, the hosts get the
 * stable release back. One whose rollout takes too long keeps the canary: a person decides.
 *
 * @throws CliError
 */
export async function releaseService(given: Releasing): Promise<void> {
  const { repository, say } = given;
  const stable = findStableRelease(repository);
  if (stable === undefined && given.rollout !== undefined)
    requireFirst(repository);
  // Nothing to compare with.
  const rollout = stable === undefined ? undefined : given.rollout;
  const releasing = { ...given, rollout };
  if (stable !== undefined) await rollout?.start(stable);
  await onSides(["canary"], stable, releasing, () =>
    deploy(releasing, "canary"),
  );
  if (stable === undefined)
    say("There is no stable release to compare with: it goes to prod now.");
  await untilPromoting(releasing, stable);
  await onSides(["prod", "canary"], stable, releasing, async () => {
    await deploy(releasing, "prod");
    await rollout?.untilHealthy();
  });
  try {
    say(markStable(repository));
  } catch (err) {
    if (!(err instanceof CliError)) throw err;
    throw new CliError(
      err.status,
      `prod runs ${releasing.packed.commit.release}, but stable was not moved to it: ${err.message}. Release the commit again`,
    );
  }
}

function findStableRelease(repository: Repository): string | undefined {
  const stable = fetchStable(repository);
  return stable && describeCommit(repository.tree, stable).release;
}

/** @throws CliError if no release has reached prod yet */
export function requireStableRelease(repository: Repository): string {
  const stable = findStableRelease(repository);
  if (stable !== undefined) return stable;
  throw new CliError(EXIT.problem, "there is no stable release yet");
}

/** For a roll-back to it, with the environment that prod ran last. */
export function nameStable(release: string): Record<string, string> {
  return { serin_release: release, serin_release_is_stable: "true" };
}

async function deploy(releasing: Releasing, side: Side): Promise<void> {
  const { ansible, packed, signal } = releasing;
  await runPlaybook(ansible, {
    ...{ playbook: "deploy", target: side, signal },
    variables: { target: side, serin_service_artifact: packed.path },
  });
}

async function untilPromoting(
  releasing: Releasing,
  stable: string | undefined,
): Promise<void> {
  const { rollout, signal, say, packed } = releasing;
  try {
    await rollout?.untilPromoting();
  } catch (err) {
    if (!(err instanceof CliError)) throw err;
    const held = `${err.message}\n\n${describeHold(packed.commit.commit)}`;
    if (err.status === EXIT.undecided || err.status === EXIT.unreachable)
      throw new CliError(err.status, held);
    say(signal.aborted ? "interrupted" : err.message);
    await rollout?.abort(err.message);
    await putBack("canary", stable, releasing);
    throw err;
  }
}

/** Runs a deploy, and what ends it. If it fails after it has changed a host, the stable release is put back. */
async function onSides(
  sides: readonly Side[],
  stable: string | undefined,
  releasing: Releasing,
  run: () => Promise<void>,
): Promise<void> {
  try {
    await run();
  } catch (err) {
    if (err instanceof Interruption) throw describeInterruption(err, releasing);
    if (!(err instanceof CliError) || !isFailure(err)) throw err;
    await releasing.rollout?.abort(err.message);
    if (isChanged(err) || sides.length > 1)
      for (const side of sides) await putBack(side, stable, releasing);
    throw err;
  }
}

/** Of a host or of the release. Otherwise all hosts run it, and only the monitor has not said so. */
function isFailure(err: CliError): boolean {
  return err instanceof PlaybookError || err.status === EXIT.problem;
}

function isChanged(err: CliError): boolean {
  if (!(err instanceof PlaybookError)) return false;
  return [...err.outcomes.values()].some((one) => one.changed);
}

/** Reports a failure, but does not throw: the reason of the roll-back matters more. */
async function putBack(
  side: Side,
  stable: string | undefined,
  { ansible, say }: Releasing,
): Promise<void> {
  if (stable === undefined) {
    say(`${side} was not rolled back: there is no stable release yet.`);
    return;
  }
  try {
    await runPlaybook(ansible, {
      ...{ playbook: "rollback", target: side },
      variables: { target: side, ...nameStable(stable) },
      // The first Ctrl-C has been heard; another one ends this process.
      signal: new AbortController().signal,
    });
    say(`${side} runs the stable release: ${stable}`);
  } catch (err) {
    const why = err instanceof Error ? err.message : String(err);
    say(`${side} could NOT be rolled back to ${stable}: ${why}`);
  }
}

function describeHold(commit: string): string {
  const ref = commit.slice(0, 10);
  return `The canary keeps this release, its rollout goes on, and nothing is rejected. Look at the dashboard or at \`serin status\`. Then
  serin release ${ref}                 goes on following it
  serin release --skip-verdict ${ref}  releases it to prod all the same
  serin rollback --canary                    puts the canary back`;
}

function describeInterruption(
  { outcomes }: Interruption,
  { packed }: Releasing,
): CliError {
  const { release, commit } = packed.commit;
  const hosts = [...outcomes].map(([host, { to }]) => `${host} runs ${to}`);
  return new CliError(
    EXIT.interrupted,
    [
      `interrupted while ${release} was deployed`,
      ...hosts,
      "The host that was being changed may have either release. `serin release " +
        `${commit.slice(0, 10)}\` goes on, \`serin rollback\` goes back.`,
    ].join("\n"),
  );
}
