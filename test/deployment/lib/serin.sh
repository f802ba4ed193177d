# shellcheck shell=bash
# Queries of the running system.

proxy_url() { echo "http://$(host_address edge1):${PROXY_PORT:-8080}"; }
monitor_url() { echo "http://$(host_address edge1):$((${PROXY_PORT:-8080} + 10))"; }

# running_release HOST [UNIT]: prints the release that the unit's process was started from.
running_release() {
  host_root "$1" sh -c "'basename \$(readlink /proc/\$(systemctl show --property=MainPID --value ${2:-sample@3001})/cwd)'"
}

# runs_everywhere RELEASE [HOST]: passes if both instances of the sample on that host run the release.
runs_everywhere() {
  local host=${2:-canary1} port=3001
  [ "$host" != canary1 ] || port=3002
  same "$1 $1" "$(running_release "$host" sample@$port) $(running_release "$host" sample@$((port + 10)))"
}

first_and_last_pids() { echo "$(main_pid prod1 sample@3001) $(main_pid prod1 sample@3011) $(main_pid canary1 sample@3002)"; }

main_pid() { host_ssh "$1" systemctl show --property=MainPID --value "$2"; }

# redis_cli USER ARGUMENT…: runs redis-cli on the Redis host as this user.
redis_cli() {
  local user=$1
  shift
  host_ssh redis1 env "REDISCLI_AUTH=$(secret "$user")" redis-cli --no-auth-warning --user "${SERVICE:-sample}-$user" "$(printf '%q ' "$@")"
}

# eventually SECONDS COMMAND…: retries the command until it passes.
eventually() {
  local until=$((SECONDS + $1)) output
  shift
  until output=$("$@" 2>&1); do
    [ $SECONDS -lt "$until" ] || { echo "$output"; return 1; }
    sleep 0.2
  done
}

set_flag() {
  curl -fsS -X POST -H "Authorization: Bearer $(secret admin_token)" -d "{\"value\": $1, \"reason\": \"deployment test\"}" \
    "$(monitor_url)/api/flags/feature"
}

state() { curl -fsS "$(monitor_url)/api/state" | json "$1"; }

# served COUNT: sends COUNT requests and prints how many each side served, such as `canary 10 prod 30`.
served() {
  local i
  for i in $(seq "$1"); do curl -sS -o /dev/null -w '%header{x-served-by}\n' "$(proxy_url)/?$i"; done | sort | uniq -c |
    awk '{ printf "%s%s %s", (NR > 1 ? " " : ""), $2, $1 }'
}

# mails: prints what SES has received so far, as JSON.
mails() { curl -fsS "http://$HOSTS_GATEWAY:$SES_PORT/store" | json emails; }
count_mails() { mails | grep -o '"subject":' | wc -l; }

canary_open() { same true "$(state proxies.0.canaryOpen)"; }

# first_line_from HOST PORT: prints the first line that a connection from HOST to this port of the Redis host receives.
first_line_from() {
  ip netns exec "serin$HOSTS_NUMBER-$1" timeout 3 \
    bash -c "exec 3<>/dev/tcp/$(host_address redis1)/$2 && printf 'PING\r\n' >&3 && head -n 1 <&3"
}
redis_from() { first_line_from "$1" 6379; }
