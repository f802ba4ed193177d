# shellcheck shell=bash disable=SC2317
# Graceful stops, restarts by systemd, and reboots.

finishes_what_is_in_flight() {
  local answer
  answer=$(mktemp)
  curl -sS -o /dev/null -w '%{http_code}' "http://$(host_address canary1):3002/slow?ms=3000" >"$answer" &
  sleep 1
  host_root canary1 systemctl restart sample@3002
  wait $!
  same 200 "$(cat "$answer")"
}

comes_back_after() {
  local pid
  pid=$(main_pid prod1 sample@3001)
  host_root prod1 kill -9 "$pid" && eventually 10 app_is_back "$pid"
}
app_is_back() { refuses same "$1" "$(main_pid prod1 sample@3001)" && curl -fsS "http://$(host_address prod1):3001/readyz"; }

check "a restart completes requests in flight" finishes_what_is_in_flight
check "systemd restarts a killed app" comes_back_after
curl -sS -X POST -d kept "$(proxy_url)/set/kept?" >/dev/null
before=$(redis_cli operator xlen serin:events)
for host in redis1 canary1 prod1 edge1; do
  check "$host reboots" host_reboot "$host"
done
check "after the reboots every unit is active" eventually 20 units_are_active
check "and requests are split 3:1" eventually 20 three_to_one
check "the ledger is kept" test "$(redis_cli operator xlen serin:events)" -ge "$before"
check "a host outside the inventory still cannot connect" refuses redis_from stranger
check "site.yml changes nothing after the reboots" nothing_changed "$(play site.yml 2>&1)"
