import { packedRelease } from "../../../../lib/program/release.js";
import { CliError } from "../../exit-status.js";
import { describeCommit, findCommit } from "./commit.js";
import { markStable, type Repository } from "./repository.js";

/**
 * Moves `stable` back after prod: the stable release of before is no longer on the hosts, so a bad canary could not get it.
 *
 * @param read after a roll-back that has succeeded nothing throws, not even for want of a repository
 * @param releases those that prod's hosts run
 * @returns a sentence for people
 */
export function followProd(
  read: () => Repository,
  releases: ReadonlySet<string>,
): string {
  const [release = "", ...others] = new Set([...releases].map(packedRelease));
  if (release === "" || others.length > 0)
    return "stable was not moved, because the hosts of prod run different releases.";
  try {
    const repository = read();
    const commit = findCommit(repository.tree, release.slice(-10));
    if (describeCommit(repository.tree, commit).release === release)
      return markStable({ ...repository, commit });
    return `stable was not moved: ${commit} is not the commit of ${release}.`;
  } catch (err) {
    if (!(err instanceof CliError)) throw err;
    return `stable was not moved to the commit of ${release}: ${err.message}`;
  }
}
