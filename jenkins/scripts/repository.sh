# Shared by the scripts that move refs, which source it.
#
#   SERIN_REPOSITORY  path or URL of the repository that holds the branch (default: the remote `origin`)
#   SERIN_BRANCH      the release branch (default: main)
#   GIT_COMMIT        the commit of this build (default: HEAD)
#
# shellcheck shell=sh disable=SC2034
branch=${SERIN_BRANCH:-main}
repository=${SERIN_REPOSITORY:-$(git remote get-url origin)}
repository=${repository#file://}
commit=$(git rev-parse --verify --quiet "${GIT_COMMIT:-HEAD}^{commit}") || {
  echo "no commit ${GIT_COMMIT:-HEAD} in $PWD" >&2
  exit 1
}
# If the checkout failed, HEAD is an earlier commit.
[ -z "${BUILD_URL:-}" ] || [ "$(git rev-parse HEAD)" = "${GIT_COMMIT:-unknown}" ] || {
  echo "the workspace is not at the commit of the build (${GIT_COMMIT:-unknown})" >&2
  exit 1
}
rejected=refs/rejected/$commit
refs=$(git ls-remote "$repository" "refs/heads/*" "refs/rejected/*") || {
  echo "cannot read the repository $repository" >&2
  exit 1
}

# Prints the commit that a ref of the repository points to, or nothing.
read_ref() {
  printf '%s\n' "$refs" | awk -v ref="$1" '$2 == ref { print $1 }'
}

# Describes a commit for people.
describe() {
  git log -1 --no-show-signature --format='%h "%s" by %an' "$1"
}

# fetch_commit COMMIT REF: fetches a commit of the repository, which REF points to, unless it is present.
fetch_commit() {
  git cat-file -e "$1^{commit}" 2>/dev/null || git fetch --quiet "$repository" "$2"
}
