# shellcheck shell=bash disable=SC2317
# Only the inventory's hosts can reach Redis, and each program has its own rights.

prod_has_the_feature_off() { contains "$(curl -sS "$(proxy_url)/get/x")" "feature disabled"; }

flips_by_redis_cli() {
  redis_cli operator set serin:flag:feature false >/dev/null && eventually 5 prod_has_the_feature_off &&
    redis_cli operator set serin:flag:feature true && eventually 5 refuses prod_has_the_feature_off
}

# A flip is a script, which the append-only file stores as a transaction.
flip_survives_a_restart() {
  local events
  set_flag false >/dev/null && events=$(redis_cli operator xlen serin:events) &&
    host_root redis1 systemctl restart redis-server &&
    same false "$(eventually 10 redis_cli operator get serin:flag:feature && redis_cli operator get serin:flag:feature | tail -n 1)" &&
    same operator "$(redis_cli operator hget serin:flag:feature:info by)" &&
    test "$(redis_cli operator xlen serin:events)" -ge "$events"
}

refused_to() {
  local user=$1
  shift
  contains "$(redis_cli "$user" "$@" 2>&1)" NOPERM
}

listens_on_its_addresses_only() {
  same "$(printf '%s\n' 127.0.0.1 "$(host_address redis1)" | sort)" \
    "$(host_root redis1 ss -Hltn 'sport = :6379' | awk '{ sub(/:[0-9]+$/, "", $4); print $4 }' | sort)"
}

outlives_the_hosts_own_rules() {
  local action
  for action in start reload restart stop; do
    host_root redis1 systemctl "$action" nftables &&
      host_root redis1 nft list table inet serin_redis >/dev/null || { echo "not after $action"; return 1; }
  done
}

connections_to_redis() { host_root redis1 ss -Htn state established 'sport = :6379' | awk '{ print $4 }' | sort; }

# set_up_shop ARGUMENT…: sets Redis up for a second service, with the same passwords.
set_up_shop() { play site.yml --limit redis1 -e serin_service=shop -e serin_key_prefix=shop: "$@"; }
second_service_leaves_the_first_alone() {
  local pid connections
  pid=$(main_pid redis1 redis-server) && connections=$(connections_to_redis) && set_up_shop &&
    same "$pid" "$(main_pid redis1 redis-server)" && same "$connections" "$(connections_to_redis)"
}
as_shop() { host_ssh redis1 env "REDISCLI_AUTH=$(secret app)" redis-cli --no-auth-warning --user shop-app "$@" 2>&1; }

stranger_open
check "Redis requires authentication from the inventory's hosts" contains "$(redis_from canary1)" NOAUTH
check "the default user is disabled" contains "$(host_ssh redis1 redis-cli -h 127.0.0.1 AUTH default anything 2>&1)" WRONGPASS
check "a host outside the inventory cannot connect" refuses redis_from stranger
check "but it can reach the Redis host on other ports" contains "$(first_line_from stranger 22)" SSH
check "Redis listens only on loopback and its own address" listens_on_its_addresses_only
check "its firewall rules survive every change of the host's own rules" outlives_the_hosts_own_rules
check "no password is stored in plain text on the host" \
  refuses host_root redis1 grep -rqF "$(secret app)" /etc/redis
check "the app may not flip the flag" refused_to app set serin:flag:feature false
check "the app may not queue a mail" refused_to app xadd serin:outbox '*' a b
check "the app may not write to the ledger" refused_to app xadd serin:events MAXLEN 0 '*' kind flip
check "the app may not run a script" refused_to app eval 'return 1' 0
check "the agent may not read what the app stores" refused_to agent get serin:kv:x
check "the proxy may not write the lease" refused_to proxy set serin:lease x
check "the monitor may not read what the app stores" refused_to monitor get serin:kv:x
check "no user may run dangerous commands" refused_to monitor flushall
check "the operator flips the flag by redis-cli, and the programs follow" flips_by_redis_cli
check "a second service's users arrive without a restart or an ended connection" second_service_leaves_the_first_alone
check "its app reads its own flags" same "" "$(as_shop get shop:flag:feature)"
check "but none of the first service" contains "$(as_shop get serin:flag:feature)" NOPERM
check "the first service's hosts still reach Redis" contains "$(redis_from canary1)" NOAUTH
check "a third service may not take a key prefix of another" \
  contains "$(set_up_shop -e serin_service=other -e serin_key_prefix=shop: 2>&1)" "belongs to another service"
redis_cli operator acl log reset >/dev/null
check "serin works on the edge host with the monitor's settings" contains "$(host_root edge1 serin flag get)" on
check "and finds the monitor there" contains "$(host_root edge1 serin status)" "leads (epoch"
check "a flip survives a restart of Redis" flip_survives_a_restart
eventually 15 set_flag true >/dev/null
check "the programs reconnect" eventually 15 canary_open
check "and Redis denies none of their commands" same "" "$(sleep 2; redis_cli operator acl log)"
