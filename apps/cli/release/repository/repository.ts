import { basename } from "node:path";
import type { ServiceFile as FullServiceFile } from "../../../../lib/service-file.js";
import { CliError, EXIT } from "../../exit-status.js";
import { findCommit, nameCommit } from "./commit.js";
import { chooseStable, type Stable } from "./stable.js";
import type { WorkingTree } from "./working-tree.js";

/** The repository that holds the release branch, `stable` and the rejected commits, and a commit to release. */
export interface Repository {
  /** A clone of it, or its own working tree. */
  tree: WorkingTree;
  /** A path or URL. */
  url: string;
  branch: string;
  /** The branch with the commit that prod runs. */
  stable: Stable;
  commit: string;
  /** The commits that its refs point to, at the time of reading. */
  refs: ReadonlyMap<string, string>;
}

export interface RepositorySettings {
  /** A path or URL; empty for the remote `origin`, or the working tree's own repository if there is none. */
  repository: string;
  /** Empty for main, or master if there is no main. */
  branch: string;
  /** The branch that prod runs; empty for the default. */
  stable: string;
  revision: string;
  /** Jenkins builds GIT_COMMIT. If its checkout failed, HEAD is an earlier commit. */
  jenkins: { build: string; commit: string };
}

type ServiceFile = Pick<FullServiceFile, "service" | "stable" | "path">;

/** @throws CliError if there is no such commit, the repository cannot be read, or its branch `stable` is not Serin's */
export function readRepository(
  tree: WorkingTree,
  settings: RepositorySettings,
  service: ServiceFile,
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
  const stable = chooseStable(refs, {
    ...{ service: service.service, url },
    given: settings.stable || (service.stable ?? ""),
    isShared: countServices(tree, commit, basename(service.path)) > 1,
  });
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
  const { ref, record } = stable;
  const before = refs.get(ref);
  if (before !== commit) {
    // The lease protects a `stable` that was moved in the meantime.
    const lease = `--force-with-lease=${ref}:${before ?? ""}`;
    const moved = [`${commit}:${ref}`, `+${commit}:${record}`];
    tree.git("push", "--quiet", "--atomic", lease, "--", url, ...moved);
    // Throws if the push may have been redirected.
    readRefs(tree, url);
  }
  const rejected = rejectedRef(commit);
  if (refs.has(rejected))
    tree.git("push", "--quiet", "--", url, `:${rejected}`);
  return `stable is ${nameCommit(tree, commit)}`;
}

/**
 * Fetches the commit of `stable`, unless it is present. If someone has deleted the branch, its record has the commit.
 *
 * @returns it, or undefined if no release has reached prod yet
 */
export function fetchStable(repository: Repository): string | undefined {
  const { tree, url, stable, refs } = repository;
  const ref = refs.has(stable.ref) ? stable.ref : stable.record;
  const commit = refs.get(ref);
  if (commit === undefined) return undefined;
  if (tree.tryGit("cat-file", "-e", `${commit}^{commit}`) === undefined)
    tree.git("fetch", "--quiet", "--", url, ref);
  return commit;
}

/** @throws CliError if the service has been released, but under another name of `stable`: nothing would be judged */
export function requireFirst({ url, stable }: Repository): void {
  const { ref, record, earlier } = stable;
  if (earlier === undefined) return;
  throw new CliError(
    EXIT.refused,
    `${url} has no ${ref}, but ${earlier} of an earlier release: correct SERIN_STABLE or stable in serin.yml.\n` +
      `If the branch has a new name: git fetch ${url} ${earlier} && git push ${url} FETCH_HEAD:${ref} FETCH_HEAD:${record}\n` +
      "If the hosts are new: serin release --skip-verdict",
  );
}

/** The refs of a repository and their commits. @throws CliError also for a ref to which Git would redirect what is pushed */
export function readRefs(tree: WorkingTree, url: string): Map<string, string> {
  const kinds = ["refs/heads/*", "refs/rejected/*", "refs/serin/*"];
  const lines = tree.tryGit("ls-remote", "--", url, ...kinds);
  if (lines === undefined)
    throw new CliError(
      EXIT.unreachable,
      `the repository ${url} cannot be read: check SERIN_REPOSITORY or the remote origin`,
    );
  const refs = new Map(
    lines
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => line.split("\t"))
      .map(([commit = "", ref = ""]) => [ref, commit]),
  );
  // Where refs/heads/x does not exist, Git takes refs/heads/refs/heads/x for it.
  const decoy = [...refs.keys()].find((ref) =>
    /^refs\/((heads|tags|remotes)\/)?refs\//.test(ref),
  );
  if (decoy === undefined) return refs;
  throw new CliError(
    EXIT.refused,
    `${url} has a ref ${decoy}, which Git could take for ${decoy.replace(/^.*\/(?=refs\/)/, "")}: delete it (git push ${url} :${decoy})`,
  );
}

/** The services that the repository of a commit has, by their files. */
function countServices(
  tree: WorkingTree,
  commit: string,
  fileName: string,
): number {
  const tracked = ["ls-tree", "-r", "-z", "--name-only", "--full-tree", commit];
  const paths = tree.git(...tracked).split("\0");
  return paths.filter((path) => basename(path) === fileName).length;
}
