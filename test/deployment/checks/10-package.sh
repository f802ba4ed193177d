# shellcheck shell=bash disable=SC2034,SC2317
# Packages Serin's own programs and the sample, of the commit. Sets CHECKOUT (a built clone), ARTIFACT and SERIN_RELEASE (of Serin),
# SAMPLE and RELEASE (of the service) for the checks that follow.

# build_clone FOLDER: clones and builds the commit.
build_clone() {
  git clone --quiet "$DEPLOYMENT_ROOT" "$1" &&
    (cd "$1" && git checkout --quiet "$PACKAGED_COMMIT" && npm ci --ignore-scripts --prefer-offline --no-audit --no-fund && npm run build)
}

# serin_in FOLDER ARGUMENT…: runs the CLI of a built clone there.
serin_in() { (cd "$1" && shift && node dist/apps/cli/main.js "$@"); }

serin_packaged_elsewhere() {
  (umask 077 && export TZ=Asia/Tokyo LANG=C && build_clone "$HOSTS_RUN/somewhere else" &&
    serin_in "$HOSTS_RUN/somewhere else" package --serin) >/dev/null 2>&1 || return
  sha256sum <"$HOSTS_RUN/somewhere else/artifacts/serin.tar.gz"
  rm -rf "$HOSTS_RUN/somewhere else"
}

contains_only_what_hosts_need() {
  local names
  names=$(tar -tzf "$ARTIFACT" | cut -d/ -f2- | cut -d/ -f1-3 | sort -u)
  contains "$names" dist/apps/agent && contains "$names" dist/apps/cli && contains "$names" dist/THIRD-PARTY-LICENSES &&
    lacks "$names" launcher && lacks "$names" dist/lib && lacks "$names" dist/test && lacks "$names" node_modules
}

release_of() { tar -xzOf "$1" --wildcards '*/release.json' | json "${2:-release}"; }

CHECKOUT=$HOSTS_RUN/checkout
PACKAGED_COMMIT=$(git rev-parse HEAD)
check "the commit is built in a clone" build_clone "$CHECKOUT" || exit 1
check "Serin's programs are packaged" serin_in "$CHECKOUT" package --serin || exit 1
check "the sample is packaged" env SERIN_FILE=apps/app/serin.yml bash -c "cd '$CHECKOUT' && node dist/apps/cli/main.js package" || exit 1
ARTIFACT=$(realpath "$CHECKOUT/artifacts/serin.tar.gz")
SAMPLE=$(realpath "$CHECKOUT/apps/app/artifacts/sample.tar.gz")
SERIN_RELEASE=$(release_of "$ARTIFACT")
RELEASE=$(release_of "$SAMPLE")
check "Serin's programs are the same bytes from another clone" same "$(sha256sum <"$ARTIFACT")" "$(serin_packaged_elsewhere)"
check "the sample's release names the commit" same "$PACKAGED_COMMIT" "$(release_of "$SAMPLE" commit)"
check "Serin's package contains only what hosts need" contains_only_what_hosts_need
