import { CliError, EXIT } from "../../exit-status.js";
import { findCommit, nameCommit } from "./commit.js";
import type { WorkingTree } from "./working-tree.js";

/** The repository that holds the release branch, `stable` and the rejected commits, and a commit to release. */
export interface Repository {
  /** A clone of it, or its own working tree. */
  tree: WorkingTree;
  /** A path or URL. */
  url: string;
  branch: string;
  /** The ref of the commit that prod runs. */
  stable: string;
  commit: string;
  /** The commits that its refs point to, at the time of reading. */
  refs: ReadonlyMap<string, string>;
}

export interface RepositorySettings {
  /** A path or URL; empty for the remote `origin`, or the working tree's own repository if there is none. */
  repository: string;
  /** Empty for main, or master if there is no main. */
  branch: string;
  /** The branch that prod runs. Services of one repository need one each. */
  stable: string;
  revision: string;
  /** Jenkins builds GIT_COMMIT. If its checkout failed, HEAD is an earlier commit. */
  jenkins: { build: string; commit: string };
}

/** @throws CliError if there is no such commit, or the repository cannot be read */
export function readRepository(
  tree: WorkingTree,
  settings: RepositorySettings,
): Repository {
  const { revision, jenkins } = settings;
  const commit = findCommit(tree, revision);
  if (jenkins.build !== "" && tree.git("rev-parse", "HEAD") !== jenkins.commit)
    throw new CliError(
      EXIT.usage,
      `the workspace is not at the commit of the build (${jenkins.commit || "unknown"})`,
    );
  const url = (
    settings.repository ||
    (tree.tryGit("remote", "get-url", "origin") ??
      tree.git("rev-parse", "--show-toplevel"))
  ).replace(/^file:\/\//, "");
  const refs = readRefs(tree, url);
  const isMaster =
    !refs.has("refs/heads/main") && refs.has("refs/heads/master");
  const branch = settings.branch || (isMaster ? "master" : "main");
  const stable = `refs/heads/${settings.stable}`;
  return { tree, url, branch, stable, commit, refs };
}

/** Where a rejected commit is kept. */
export function rejectedRef(commit: string): string {
  return `refs/rejected/${commit}`;
}

/** @throws CliError if the commit was rejected before */
export function admitCommit(
  { tree, commit, refs }: Repository,
  isForced: boolean,
): string {
  const name = nameCommit(tree, commit);
  const rejected = rejectedRef(commit);
  if (!refs.has(rejected)) return `admitted: ${name}`;
  if (isForced) return `admitted by force: ${name} was rejected before`;
  throw new CliError(
    EXIT.refused,
    `not built: ${name} was rejected before (${rejected}).\n` +
      "To build it, amend it (git commit --amend), or put it back on the branch and use --force.",
  );
}

/** Moves `stable` to the commit that prod runs now. @throws CliError if it was moved meanwhile */
export function markStable(repository: Repository): string {
  const { tree, url, stable, commit, refs } = repository;
  const before = refs.get(stable);
  if (before !== commit) {
    // The lease protects a `stable` that was moved in the meantime.
    const lease = `--force-with-lease=${stable}:${before ?? ""}`;
    tree.git("push", "--quiet", lease, url, `${commit}:${stable}`);
  }
  const rejected = rejectedRef(commit);
  if (refs.has(rejected)) tree.git("push", "--quiet", url, `:${rejected}`);
  return `stable is ${nameCommit(tree, commit)}`;
}

/** Fetches the commit of `stable`, unless it is present. @returns it, or undefined if no release has reached prod yet */
export function fetchStable(repository: Repository): string | undefined {
  const { tree, url, stable, refs } = repository;
  const commit = refs.get(stable);
  if (commit === undefined) return undefined;
  if (tree.tryGit("cat-file", "-e", `${commit}^{commit}`) === undefined)
    tree.git("fetch", "--quiet", url, stable);
  return commit;
}

function readRefs(tree: WorkingTree, url: string): Map<string, string> {
  const lines = tree.tryGit(
    "ls-remote",
    url,
    "refs/heads/*",
    "refs/rejected/*",
  );
  if (lines === undefined)
    throw new CliError(
      EXIT.unreachable,
      `the repository ${url} cannot be read: check SERIN_REPOSITORY or the remote origin`,
    );
  return new Map(
    lines
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => line.split("\t"))
      .map(([commit = "", ref = ""]) => [ref, commit]),
  );
}
