# shellcheck shell=bash disable=SC2016,SC2030,SC2031,SC2034,SC2317
# A second service on the same hosts, written in another language: nothing of one touches the other.

# on_web COMMAND…: runs a command that concerns the service web, by its own inventory.
on_web() { (INVENTORY=$HOSTS_RUN/web SERVICE=web PROXY_PORT=8180 && "$@"); }
# web_artifact NAME [LINE…]: commits a state of the service and packages it by `serin package`; each LINE of its serin.yml replaces
# the one with the same key. Prints the path of the tarball.
web_artifact() {
  local name=$1 line
  shift
  cp "$HOSTS_RUN/web.yml" "$HOSTS_RUN/web-source/serin.yml"
  for line in "$@"; do sed -i "s|^${line%%:*}:.*|$line|" "$HOSTS_RUN/web-source/serin.yml"; done
  (
    cd "$HOSTS_RUN/web-source" && echo "$name" >content && git add . &&
      git -c user.name=Ada -c user.email=ada@example.com commit --quiet -m "The state $name" &&
      node "$CHECKOUT/dist/apps/cli/main.js" package >&2 && realpath artifacts/web.tar.gz
  )
}
set_up_web() { on_web play site.yml -e serin_artifact=/nonexistent -e "serin_service_artifact=$FIRST_WEB" "$@"; }
deploy_web() { on_web play deploy.yml -e target=canary -e "serin_service_artifact=$1" 2>&1; }
all_pids() {
  local host
  for host in prod1 canary1 edge1 redis1; do
    host_ssh "$host" systemctl show --property=Id,MainPID "'${1:-sample}*.service'" redis-server |
      awk -v host="$host" 'BEGIN { RS = "" } { print host, $1, $2 }'
  done | sort
}
web_release() { curl -fsS "http://$(host_address canary1):3202/index.html"; }
flag_of() { "$@" state flag.value; }

# Its inventory is its serin.yml.
mkdir -p "$HOSTS_RUN/web" "$HOSTS_RUN/web-source"
git init --quiet "$HOSTS_RUN/web-source"
cp -r "$HOSTS_RUN/inventory/group_vars" "$HOSTS_RUN/web/"
sed -i '/^serin_service: /d; /^serin_key_prefix: /d; /^serin_service_writable: /d; /^serin_alert_transport: /d' \
  "$HOSTS_RUN/web/group_vars/all/test.yml"
cat >"$HOSTS_RUN/web/hosts" <<SCRIPT
#!/bin/sh
SERIN_FILE=$HOSTS_RUN/web-source/serin.yml exec $CHECKOUT/ansible/inventory/serin "\$@"
SCRIPT
chmod +x "$HOSTS_RUN/web/hosts"
cat >"$HOSTS_RUN/web.yml" <<CONFIG
service: web
run: exec python3 -m http.server "\$PORT" --bind "\$HOST" --directory site
build: mkdir site && sed 's/^/web /' content >site/index.html
include: [site]
health: none
instances: 1
servers: {prod: [$(host_address prod1)], canary: [$(host_address canary1)], edge: [$(host_address edge1)]}
redis: $(host_address redis1)
ssh: {user: admin}
ports: {prod: 3201, canary: 3202}
proxy: {port: 8180}
CONFIG
printf 'artifacts\n' >"$HOSTS_RUN/web-source/.gitignore"
FIRST_WEB=$(web_artifact first)
pids=$(all_pids)

check "a port that the first service has is rejected" \
  contains "$(set_up_web -e '{"serin_service_ports": {"prod": 3001, "canary": 3002}}' 2>&1)" \
  "port 3002 is taken by node (process $(main_pid canary1 sample@3002) of sample@3002.service)"
check "before anything is changed" refuses host_ssh canary1 getent passwd web
check "a name that the host's own programs have, too" \
  contains "$(on_web play site.yml -e serin_service=ssh 2>&1)" "/etc/ssh belongs to another program"
check "and a name whose units the first service has" \
  contains "$(on_web play site.yml -e serin_service=sample-agent 2>&1)" "sample-agent@.service belongs to another service"
under_load "site.yml of a second service" set_up_web
check "a second service joins on the same hosts" test $? = 0
check "none of the first one's requests fails" none_failed
check "and nothing of it is restarted" same "$pids" "$(all_pids)"
three_to_one_of_web() { on_web three_to_one; }
check "the second service's requests are split 3:1" three_to_one_of_web
check "its agents report its release without a health page" \
  eventually 10 contains "$(on_web state hosts)" "$(basename "$FIRST_WEB" .tar.gz | cut -c5-)"
check "its canary is stopped" on_web set_flag false
check "the first one's is not" same "false true" "$(flag_of on_web) $(flag_of eval)"
on_web set_flag true >/dev/null
check "Redis has denied no command of a program" same "" "$(redis_cli operator acl log)"
check "no user of it reads the first one's keys" contains "$(SERVICE=web redis_cli app get serin:flag:feature 2>&1)" NOPERM
redis_cli operator acl log reset >/dev/null
check "serin asks which service is meant" contains "$(host_root edge1 serin flag get 2>&1)" "set SERIN_SERVICE to one of sample web"
check "and takes it" contains "$(host_root edge1 SERIN_SERVICE=web serin flag get)" on

web_pids=$(all_pids web-)
deploy_web "$(web_artifact second)" >/dev/null
check "a release of it is deployed to its canary" same "web second" "$(web_release)"
check "a command that ends at once fails the deploy, with its last words" \
  contains "$(deploy_web "$(web_artifact ends 'run: echo the last words; exit 1')")" "the last words"
check "and is taken back" same "web second" "$(web_release)"
check "a health page that never answers 2xx fails the deploy" \
  contains "$(deploy_web "$(web_artifact silent 'health: {path: /healthz, start: 2s}')")" ":3202/healthz did not answer within 2 s: 404"
check "and is taken back, too" same "web second" "$(web_release)"
on_web play rollback.yml -e target=canary >/dev/null 2>&1
check "a roll-back restores the first release" same "web first" "$(web_release)"
check "no release restarts Serin's programs" same "$web_pids" "$(all_pids web-)"
check "or anything of the first service" same "$pids" "$(all_pids)"
check "site.yml of the first service changes nothing" nothing_changed "$(set_up 2>&1)"
