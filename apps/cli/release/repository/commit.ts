import { formatRelease, versionIn } from "../../../../lib/program/release.js";
import { toPlain } from "../../../../lib/wording/plain-text.js";
import { CliError, EXIT } from "../../exit-status.js";
import type { WorkingTree } from "./working-tree.js";

/** What a release says of its commit. It depends only on the commit, not on when or where it is packed. */
export interface Commit {
  release: string;
  /** Of the package.json beside serin.yml. */
  version?: string;
  commit: string;
  /** ISO 8601, UTC, to the second. */
  committedAt: string;
  subject: string;
  author: string;
}

/** @throws CliError if there is no such commit */
export function describeCommit(tree: WorkingTree, revision: string): Commit {
  const commit = findCommit(tree, revision);
  const [seconds, author, subject] = tree
    .git(
      ...["show", "--no-patch", "--no-show-signature"],
      ...["--format=%ct%n%an%n%s", commit],
    )
    .split("\n");
  const committedAt = Number(seconds) * 1000;
  const version = versionIn(tree.tryGit("show", `${commit}:./package.json`));
  return {
    release: formatRelease(version, { commit, committedAt }),
    ...(version !== undefined && { version }),
    commit,
    committedAt: new Date(committedAt).toISOString().replace(".000", ""),
    subject: toPlain(subject ?? ""),
    author: toPlain(author ?? ""),
  };
}

export function findCommit(tree: WorkingTree, revision: string): string {
  const verified = ["rev-parse", "--verify", "--quiet", "--end-of-options"];
  const found = tree.tryGit(...verified, `${revision}^{commit}`);
  if (found !== undefined) return found;
  const { folder } = tree;
  const isOutside = tree.tryGit("rev-parse", "--show-toplevel") === undefined;
  throw new CliError(
    EXIT.usage,
    isOutside
      ? `${folder} is in no Git repository: a release is a commit, so run git init and commit the service`
      : `there is no commit ${revision} in ${folder}`,
  );
}

/** The service's folder relative to the top of its working tree; empty for the top itself. */
export function findPlace({ git }: WorkingTree): string {
  return git("rev-parse", "--show-prefix").replace(/\/$/, "");
}

/** Changes in the service's folder that are not in HEAD. */
export function countChanges({ git }: WorkingTree): number {
  const lines = git("status", "--porcelain", "--", ".");
  return lines === "" ? 0 : lines.split("\n").length;
}

/** The commit for people: `1a2b3c4 "Subject" by Author`. */
export function nameCommit({ git }: WorkingTree, commit: string): string {
  const format = '--format=%h "%s" by %an';
  return toPlain(git("log", "-1", "--no-show-signature", format, commit));
}
