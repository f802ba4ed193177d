# shellcheck shell=bash disable=SC2317
# Packages the commit as one tarball. Sets ARTIFACT and RELEASE for the checks that follow.

package_elsewhere() {
  local clone
  clone=$(mktemp -d)
  git clone --quiet "$DEPLOYMENT_ROOT" "$clone/somewhere else" &&
    (cd "$clone/somewhere else" && umask 077 && TZ=Asia/Tokyo LANG=C node scripts/package.mjs "$PACKAGED_COMMIT" >/dev/null &&
      sha256sum <artifacts/serin.tar.gz)
  rm -rf "$clone"
}

holds_only_what_hosts_need() {
  local names
  names=$(tar -tzf "$ARTIFACT" | cut -d/ -f2- | cut -d/ -f1-3 | sort -u)
  contains "$names" dist/apps/app && contains "$names" dist/apps/cli && contains "$names" dist/THIRD-PARTY-LICENSES &&
    lacks "$names" launcher && lacks "$names" dist/lib && lacks "$names" dist/test && lacks "$names" node_modules
}

if [ -z "${ARTIFACT:-}" ]; then
  PACKAGED_COMMIT=$(git rev-parse HEAD)
  ARTIFACT=$(npm run --silent package)
  check "packages the commit as one tarball with a checksum" \
    sh -c 'cd "$(dirname "$1")" && sha256sum --check "$(basename "$1").sha256"' - "$ARTIFACT" || exit 1
  check "produces the same bytes from another clone" \
    same "$(sha256sum <"$ARTIFACT")" "$(package_elsewhere)"
  check "release.json names the commit" \
    same "$PACKAGED_COMMIT" "$(tar -xzOf "$ARTIFACT" --wildcards '*/release.json' | json commit)"
fi
check "contains only what hosts need" holds_only_what_hosts_need
ARTIFACT=$(realpath "$ARTIFACT")
RELEASE=$(basename "$ARTIFACT" .tar.gz)
RELEASE=${RELEASE#serin-}
