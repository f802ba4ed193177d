# shellcheck shell=bash
# Shared by the shell tests, which source it. Each check prints a line; finish prints the totals and returns the status.

passed=0
failed=0

# check NAME COMMAND…: passes if the command succeeds, and prints the command's output if not.
check() {
  local name=$1 said
  shift
  if said=$("$@" 2>&1); then
    passed=$((passed + 1))
    echo "ok - $name"
  else
    failed=$((failed + 1))
    echo "not ok - $name"
    [ -z "$said" ] || printf '%s\n' "$said" | sed 's/^/  # /'
  fi
}

# Conditions that print what they found.
is() { [ "$1" = "$2" ] || { printf 'found:    %s\nexpected: %s\n' "$1" "$2" && return 1; }; }
contains() { [[ $1 == *"$2"* ]] || { printf 'not found: %s\nin: %s\n' "$2" "$1" && return 1; }; }
lacks() { [[ $1 != *"$2"* ]] || { printf 'found: %s\nin: %s\n' "$2" "$1" && return 1; }; }
at_most() { [ "$1" -le "$2" ] || { printf '%s is more than %s\n' "$1" "$2" && return 1; }; }

finish() {
  echo "$passed passed, $failed failed"
  [ "$failed" -eq 0 ]
}

# need COMMAND PACKAGE: installs a Debian package unless its command exists.
need() {
  command -v "$1" >/dev/null && return
  local apt=(env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300)
  "${apt[@]}" install -y --no-install-recommends "$2" >/dev/null 2>&1 ||
    { "${apt[@]}" update >/dev/null && "${apt[@]}" install -y --no-install-recommends "$2" >/dev/null; } ||
    { echo "$1 not found, and apt-get cannot install $2" >&2 && exit 69; }
}

# Creates SCRATCH, a folder that is removed at the end, and isolates git from this machine's settings.
open_scratch() {
  SCRATCH=$(mktemp -d "${TMPDIR:-/tmp}/serin-test-XXXXXX")
  trap 'rm -rf "$SCRATCH"' EXIT
  trap 'exit 130' INT TERM
  export GIT_CONFIG_GLOBAL=$SCRATCH/gitconfig GIT_CONFIG_NOSYSTEM=1
  git config --global user.name Tester
  git config --global user.email tester@example.com
  git config --global init.defaultBranch main
  git config --global advice.detachedHead false
}
