# shellcheck shell=bash disable=SC2317
# The canary gets slow, the flag is flipped and a mail arrives.

mail_about_the_flip() { contains "$(mails)" ops@example.com && contains "$(mails)" "feature"; }
flag_is() { same "$1" "$(state flag.value)"; }

# Only the canary implements /slow; it gets a quarter of these requests.
slow_down() {
  local pids=()
  for _ in $(seq 120); do
    curl -sS -o /dev/null --max-time 10 "$(proxy_url)/slow" &
    pids+=($!)
  done
  wait "${pids[@]}"
}

set_flag true >/dev/null
eventually 5 flag_is true >/dev/null
host_root canary1 systemctl stop sample@3002 sample@3012
flag_off_for_failing() { served 8 >/dev/null && flag_is false; }
check "a canary that is down turns the flag off" eventually 10 flag_off_for_failing
check "by the proxy" same proxy "$(state flag.by)"
host_root canary1 systemctl start sample@3002 sample@3012
eventually 10 curl -fsS "http://$(host_address canary1):3002/readyz" >/dev/null
check "the flag stays off when the canary is up again" flag_is false
set_flag true >/dev/null
check "the flag is on" eventually 5 flag_is true
began=$(now_ms)
slow_down
check "a slow canary turns the flag off" eventually 10 flag_is false
figure "from the first slow request to the flag being off: at most $(seconds_since "$began") s"
check "by the monitor" same monitor "$(state flag.by)"
check "all requests go to prod" same "prod 12" "$(served 12)"
check "the feature is off on prod" contains "$(curl -sS "$(proxy_url)/get/x")" "feature disabled"
check "a mail arrives at SES" eventually 20 mail_about_the_flip
set_flag true >/dev/null
say "mails so far: $(mails | grep -oE '"subject":"[^"]*"' | sort | uniq -c | paste -sd';')"
check "an operator turns it on through the API" eventually 5 flag_is true
check "which requires the token" same 401 \
  "$(curl -sS -o /dev/null -w '%{http_code}' -X POST -d '{"value":false}' "$(monitor_url)/api/flags/feature")"
