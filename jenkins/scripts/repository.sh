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

# Describes a commit for people, without characters that control a terminal or that hide or reorder text: C0 and C1, U+061C,
# U+200B to U+200F, U+2028 to U+202E, U+2060 to U+206F, U+FEFF.
describe() {
  git log -1 --no-show-signature --format='%h "%s" by %an' "$1" | LC_ALL=C sed -e 's/[[:cntrl:]]/ /g' \
    -e 's/\xc2[\x80-\x9f]/ /g; s/\xd8\x9c/ /g; s/\xe2\x80[\x8b-\x8f\xa8-\xae]/ /g; s/\xe2\x81[\xa0-\xaf]/ /g; s/\xef\xbb\xbf/ /g'
}

# fetch_commit COMMIT REF: fetches a commit of the repository, which REF points to, unless it is present.
fetch_commit() {
  git cat-file -e "$1^{commit}" 2>/dev/null || git fetch --quiet "$repository" "$2"
}
