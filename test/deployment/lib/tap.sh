# shellcheck shell=bash
# Prints results as TAP: a line per check, the output of a failed one as comments, and a summary.

TAP_PASSED=0
TAP_FAILED=0
TAP_FIGURES=()

# check DESCRIPTION COMMAND…: passes if the command succeeds, and prints the command's output if not.
check() {
  local description=$1 output
  shift
  if output=$("$@" 2>&1); then
    TAP_PASSED=$((TAP_PASSED + 1))
    echo "ok $((TAP_PASSED + TAP_FAILED)) - $description"
  else
    TAP_FAILED=$((TAP_FAILED + 1))
    echo "not ok $((TAP_PASSED + TAP_FAILED)) - $description"
    tail -n 60 <<<"$output" | sed 's/^/  # /'
    return 1
  fi
}

# refuses COMMAND…: passes if the command fails.
refuses() { ! "$@"; }

# same EXPECTED ACTUAL
same() {
  [ "$1" = "$2" ] && return
  printf 'expected: %s\ngot:      %s\n' "$1" "$2"
  return 1
}

# contains TEXT PART
contains() {
  [[ $1 == *"$2"* ]] && return
  printf 'not found: %s\nin: %s\n' "$2" "$1"
  return 1
}

# lacks TEXT PART
lacks() {
  [[ $1 != *"$2"* ]] && return
  printf 'found: %s\nin: %s\n' "$2" "$1"
  return 1
}

figure() {
  TAP_FIGURES+=("$*")
  echo "# figure: $*"
}

tap_close() {
  local line
  echo "1..$((TAP_PASSED + TAP_FAILED))"
  for line in "${TAP_FIGURES[@]}"; do echo "# $line"; done
  echo "$TAP_PASSED passed, $TAP_FAILED failed"
  [ "$TAP_FAILED" = 0 ] && [ "$TAP_PASSED" -gt 0 ]
}
