import { git } from "./git.mjs";

/** The content of release.json. It depends only on the commit, not on when or where it is packaged. */
export function describeCommit(root, revision) {
  const commit = git(
    root,
    "rev-parse",
    "--verify",
    "--end-of-options",
    `${revision}^{commit}`,
  );
  const seconds = Number(
    git(root, "show", "--no-patch", "--format=%ct", commit),
  );
  const { version } = JSON.parse(git(root, "show", `${commit}:package.json`));
  const committedAt = new Date(seconds * 1000)
    .toISOString()
    .replace(".000", "");
  const stamp = committedAt.replace(/\D/g, "");
  return {
    release: `${version}-${stamp}-${commit.slice(0, 10)}`,
    version,
    commit,
    committedAt,
  };
}

export function countChanges(root) {
  const lines = git(root, "status", "--porcelain");
  return lines === "" ? 0 : lines.split("\n").length;
}
