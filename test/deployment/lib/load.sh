# shellcheck shell=bash
# Traffic through the proxy during a command.

readonly LOAD_RATE=50

# under_load NAME COMMAND…: runs the command under traffic, from 1 s before to 2 s after it, and prints its duration and the
# results of the requests. Sets LOAD_SENT, LOAD_FAILED, LOAD_SECONDS and LOAD_OUTPUT; returns the command's status.
under_load() {
  local name=$1 file=$HOSTS_RUN/load.json began status=0 pid
  shift
  node "$DEPLOYMENT_TESTS/load.mjs" "$(proxy_url)" "$LOAD_RATE" "${LOAD_PATH:-}" >"$file" &
  pid=$!
  sleep 1
  began=$(now_ms)
  # shellcheck disable=SC2034 # for the checks
  LOAD_OUTPUT=$("$@" 2>&1) || status=$?
  LOAD_SECONDS=$(seconds_since "$began")
  sleep 2
  kill "$pid"
  wait "$pid"
  LOAD_SENT=$(json sent <"$file")
  LOAD_FAILED=$(json failed <"$file")
  figure "$name: $LOAD_SECONDS s; $LOAD_FAILED of $LOAD_SENT requests failed $(json failures <"$file"), slowest $(json slowestMs <"$file") ms, $(json servedBy <"$file")"
  return "$status"
}

# none_failed: passes if the last under_load sent requests and none failed.
none_failed() {
  [ "$LOAD_SENT" -gt 0 ] && [ "$LOAD_FAILED" = 0 ] && return
  cat "$HOSTS_RUN/load.json"
  return 1
}

now_ms() { date +%s%3N; }
seconds_since() { awk -v ms=$(($(now_ms) - $1)) 'BEGIN { printf "%.1f", ms / 1000 }'; }

# json PATH: prints a value of the JSON on standard input, such as flag.by or hosts.0.version.
json() {
  node -e '
    let value = JSON.parse(require("fs").readFileSync(0, "utf8"));
    for (const step of process.argv[1].split(".")) value = value?.[step];
    console.log(typeof value === "object" ? JSON.stringify(value) : value);
  ' "$1"
}
