import { existsSync, statSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { CliError, EXIT } from "../../exit-status.js";
import { requireSpace } from "../host-fault.js";
import { nameCommit } from "./commit.js";
import {
  fetchStable,
  readRefs,
  rejectedRef,
  type Repository,
} from "./repository.js";
import { openWorkingTree, type WorkingTree } from "./working-tree.js";

/**
 * Rejects a bad commit: keeps it as refs/rejected/<sha> and resets the branch to `stable`. It never loses work. If it cannot
 * keep the commit, the branch has moved on or uncommitted work is in the way, it leaves the branch alone and reports why.
 *
 * @throws CliError if the bad commit is still the branch's last one
 */
export function rejectCommit(
  repository: Repository,
  say: (line: string) => void,
): void {
  const { tree, url, branch, commit, refs } = repository;
  requireSpace([tree.folder, tmpdir()]);
  const rejected = rejectedRef(commit);
  say(`rejected: ${nameCommit(tree, commit)}`);
  if (commit === fetchStable(repository)) {
    say("It is the stable release: nothing was changed.");
    return;
  }
  const kept = ["push", "--quiet", "--force", "--"];
  tree.tryGit(...kept, url, `${commit}:${rejected}`);
  if (readRefs(tree, url).get(rejected) !== commit)
    throw refuse(branch, `the commit could not be kept as ${rejected}`);
  say(
    `It is kept as ${rejected}. To restore it: git fetch ${url} ${rejected} && git cherry-pick FETCH_HEAD`,
  );
  const stable = fetchStable(repository);
  if (stable === undefined)
    throw refuse(
      branch,
      "no release has reached prod yet, so there is no stable release",
    );
  const tip = refs.get(`refs/heads/${branch}`);
  if (tip !== commit && tip !== stable) {
    say(`${branch} has moved to ${tip ?? "nothing"}, whose own build decides.`);
    return;
  }
  if (tip === commit) resetBranch(repository, stable);
  say(`${branch} was reset to the stable release: ${nameCommit(tree, stable)}`);
}

function refuse(branch: string, why: string): CliError {
  return new CliError(EXIT.problem, `${branch} was NOT reset: ${why}`);
}

function resetBranch(repository: Repository, stable: string): void {
  const { tree, url, branch, commit } = repository;
  const local = openLocal(repository);
  if (local !== undefined) {
    resetLocal(local, repository, stable);
    return;
  }
  const ref = `refs/heads/${branch}`;
  // No + in the refspec: it would override the lease.
  const lease = `--force-with-lease=${ref}:${commit}`;
  const push = ["push", "--quiet", lease, "--", url, `${stable}:${ref}`];
  if (tree.tryGit(...push) === undefined)
    throw refuse(branch, "the repository rejected the push");
}

/** A repository with a working tree on this machine. */
function openLocal({ tree, url }: Repository): WorkingTree | undefined {
  if (!existsSync(url)) return undefined;
  const local = openWorkingTree(url, tree.env);
  const isBare = local.git("rev-parse", "--is-bare-repository");
  return isBare === "false" ? local : undefined;
}

/** The branch may be checked out in one of the repository's working trees. */
function resetLocal(
  local: WorkingTree,
  { tree, branch, commit }: Repository,
  stable: string,
): void {
  const folder = findCheckout(local, branch);
  if (folder !== undefined)
    resetWorkingTree(openWorkingTree(folder, tree.env), {
      ...{ branch, commit, stable },
    });
  // Git refuses this during a rebase of the branch.
  else if (
    local.tryGit("branch", "--quiet", "--force", branch, stable) === undefined
  )
    throw refuse(branch, "git refused to move it");
}

function findCheckout(local: WorkingTree, branch: string): string | undefined {
  const trees = local.git("worktree", "list", "--porcelain").split("\n\n");
  return trees
    .map((lines) => lines.split("\n"))
    .find((lines) => lines.includes(`branch refs/heads/${branch}`))?.[0]
    ?.slice("worktree ".length);
}

/** Like `git reset --keep`, but also protects ignored files and an unfinished merge. */
function resetWorkingTree(
  { folder, git, tryGit }: WorkingTree,
  {
    branch,
    commit,
    stable,
  }: { branch: string; commit: string; stable: string },
): void {
  const { uid, username } = userInfo();
  if (statSync(folder).uid !== uid)
    throw refuse(
      branch,
      `${folder} does not belong to ${username}, the user of this process. Run Jenkins as its owner, or use a bare repository`,
    );
  const switchTo = (to: string) =>
    tryGit(
      ...["-c", "core.hooksPath=/dev/null", "switch", "--quiet"],
      ...["--no-overwrite-ignore", "--force-create", branch, to],
    ) !== undefined;
  if (!switchTo(stable))
    throw refuse(
      branch,
      `uncommitted work in ${folder} is in the way. Stash it, then run: git reset --keep ${stable.slice(0, 10)}`,
    );
  // Restore a commit that was made between reading the branch and this switch.
  const previous = git("rev-parse", `${branch}@{1}`);
  if (previous === commit) return;
  switchTo(previous);
  throw refuse(branch, `it has moved to ${previous} in the meantime`);
}
