# shellcheck shell=bash disable=SC2034
# Runs a project's Jenkinsfile as Jenkins would. Source checks.sh and call open_scratch first.

BUILDS_HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
BUILDS_ROOT=$(cd "$BUILDS_HERE/../.." && pwd)

builds_require() {
  need git git
  need groovy groovy
  need java default-jre-headless
  need ansible-playbook ansible-core
  (cd "$BUILDS_ROOT" && node scripts/prepare.mjs test) || exit 1
  [ -n "${JAVA_HOME:-}" ] || export JAVA_HOME=/usr/lib/jvm/default-java
  [ -x "$JAVA_HOME/bin/java" ] || JAVA_HOME=$(dirname "$(dirname "$(readlink -f "$(command -v java)")")")
}

# new_project PATH…: creates `dev`, the working tree that Jenkins builds, with these files of the repository, uncommitted.
new_project() {
  dev=$SCRATCH/dev
  rm -rf "$dev" "$SCRATCH/ws" "$SCRATCH/builds"
  git init -q "$dev"
  # Including uncommitted changes.
  (cd "$BUILDS_ROOT" && git ls-files -z --cached --others --exclude-standard -- "$@" |
    tar --null --files-from=- --ignore-failed-read -cf - 2>/dev/null) | tar -xf - -C "$dev"
  number=0
}

in_dev() { git -C "$dev" "$@"; }
at() { in_dev rev-parse --verify --quiet "$1"; }

# commit MESSAGE: commits the whole working tree; sets `made`.
commit() {
  in_dev add -A
  in_dev commit -q --allow-empty -m "$1"
  made=$(at HEAD)
}

# build [NAME=VALUE…]: builds the commit `made` by its $JENKINSFILE. Sets `result`, `log`, `trace` and `mail`.
build() {
  local ws=$SCRATCH/ws records status
  number=$((number + 1))
  records=$SCRATCH/builds/$number
  mkdir -p "$records"
  [ -d "$ws" ] || git clone -q "$dev" "$ws"
  git -C "$ws" fetch -q origin
  git -C "$ws" checkout -q --force --detach "$made"
  nice groovy "$BUILDS_HERE/run-jenkinsfile.groovy" "$ws/${JENKINSFILE:-jenkins/Jenkinsfile}" "$ws" "$records" \
    GIT_COMMIT="$made" BUILD_NUMBER="$number" BUILD_URL="http://jenkins/job/serin/$number/" JOB_NAME=serin \
    GIT_CONFIG_GLOBAL="$GIT_CONFIG_GLOBAL" GIT_CONFIG_NOSYSTEM=1 SERIN_MAIL_TO=team@example.com "$@" \
    >"$records/log" 2>&1
  status=$?
  case $status in
    0) result=SUCCESS ;;
    1) result=FAILURE ;;
    2) result=NOT_BUILT ;;
    3) result=ABORTED ;;
    4) result=UNSTABLE ;;
    *) result="refused ($status)" ;;
  esac
  log=$(cat "$records/log")
  trace=$(cat "$records/trace" 2>/dev/null)
  mail=$(cat "$records"/mail-* 2>/dev/null)
  [ -z "${VERBOSE:-}" ] || sed 's/^/  | /' "$records/log"
}

# stages: prints the stages that ran, in order.
stages() { printf '%s\n' "$trace" | sed -n 's/^\[\(.*\)\] stage$/\1/p' | paste -sd,; }

# release_of COMMIT: prints the name of its release, without a version.
release_of() {
  echo "$(TZ=UTC in_dev log -1 --date=format-local:%Y%m%d%H%M%S --format=%cd "$1")-${1:0:10}"
}
