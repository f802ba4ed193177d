import { CliError, EXIT } from "../../exit-status.js";

/** The branch that names the stable release of a service. */
export interface Stable {
  ref: string;
  /** The ref that says that Serin made the branch, for this service. */
  record: string;
  /** The record of another branch of the service. */
  earlier: string | undefined;
}

/**
 * Chooses the branch: the one that is `given`, or `stable`, or `stable-<service>` in a repository of several services. A service
 * that was alone keeps `stable`. A branch of that name that Serin did not make is the team's, and never moved.
 *
 * @param refs of the repository, with their commits @throws CliError for a branch of the team
 */
export function chooseStable(
  refs: ReadonlyMap<string, string>,
  of: { service: string; given: string; isShared: boolean; url: string },
): Stable {
  const { service, given, isShared, url } = of;
  const recordOf = (name: string) => `refs/serin/${service}/${name}`;
  const isOwned = isShared && !refs.has(recordOf("stable"));
  const name = given || (isOwned ? `stable-${service}` : "stable");
  const record = recordOf(name);
  const earlier = [...refs.keys()].find(
    (ref) => ref.startsWith(recordOf("")) && ref !== record,
  );
  const stable = { ref: `refs/heads/${name}`, record, earlier };
  if (!refs.has(stable.ref) || refs.has(stable.record)) return stable;
  throw new CliError(
    EXIT.refused,
    `${url} has a branch ${name} that Serin did not make for ${service}, and does not move.\n` +
      `If it is your own, name another one in serin.yml: \`stable: ${name}-${service}\`.\n` +
      `If an earlier Serin made it, tell this one: git fetch ${url} ${name} && git push ${url} FETCH_HEAD:${stable.record}`,
  );
}
