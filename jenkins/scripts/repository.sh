# What the scripts that move refs share: sourced by them, not run.
#
#   SERIN_REPOSITORY  path or URL of the repository that holds the branch (default: the remote `origin`)
#   SERIN_BRANCH      the branch whose commits are released (default: main)
#   GIT_COMMIT        the commit that this build is of (default: HEAD)
#
# shellcheck shell=sh disable=SC2034
branch=${SERIN_BRANCH:-main}
repository=${SERIN_REPOSITORY:-$(git remote get-url origin)}
repository=${repository#file://}
commit=$(git rev-parse --verify --quiet "${GIT_COMMIT:-HEAD}^{commit}") || {
  echo "no commit ${GIT_COMMIT:-HEAD} in $PWD" >&2
  exit 1
}
# In a workspace that could not be checked out, the commit before it would be meant.
[ -z "${BUILD_URL:-}" ] || [ "$(git rev-parse HEAD)" = "${GIT_COMMIT:-unknown}" ] || {
  echo "this workspace is not at the commit of the build, ${GIT_COMMIT:-which is not known}" >&2
  exit 1
}
rejected=refs/rejected/$commit
refs=$(git ls-remote "$repository" "refs/heads/*" "refs/rejected/*") || {
  echo "the repository $repository cannot be read" >&2
  exit 1
}

# The commit that a ref of the repository points to; nothing when there is no such ref.
read_ref() {
  printf '%s\n' "$refs" | awk -v ref="$1" '$2 == ref { print $1 }'
}

# A commit as people know it.
describe() {
  git log -1 --no-show-signature --format='%h "%s" by %an' "$1"
}

# Makes sure that a commit of the repository is here: commit, ref that leads to it.
fetch_commit() {
  git cat-file -e "$1^{commit}" 2>/dev/null || git fetch --quiet "$repository" "$2"
}
