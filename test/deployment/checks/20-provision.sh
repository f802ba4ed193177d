# shellcheck shell=bash disable=SC2317
# site.yml on four empty hosts.

nothing_changed() {
  same 0 "$(grep -cE '^[a-z0-9]+ +: .*(changed|failed|unreachable)=[1-9]' <<<"$1")" && contains "$1" "PLAY RECAP" || {
    grep -B3 '^changed' <<<"$1"
    return 1
  }
}

no_secret_in() {
  local name
  for name in admin_token app agent proxy monitor operator; do
    lacks "$1" "$(secret "$name")" >/dev/null || { echo "the secret $name is in the output"; return 1; }
  done
}

units_are_active() {
  local host unit
  while read -r host unit; do
    same active "$(host_ssh "$host" systemctl is-active "$unit")" &&
      same enabled "$(host_ssh "$host" systemctl is-enabled "$unit")" || { echo "($unit on $host)"; return 1; }
  done <<LIST
prod1 sample@3001
prod1 sample@3011
prod1 sample-agent@3001
prod1 sample-agent@3011
canary1 sample@3002
canary1 sample@3012
canary1 sample-agent@3002
canary1 sample-agent@3012
edge1 sample-proxy
edge1 sample-monitor
redis1 redis-server
redis1 serin-redis-firewall
LIST
}

settings_are_closed() {
  local host
  for host in prod1 canary1 edge1; do
    same "600 root" "$(host_root "$host" sh -c "'stat -c \"%a %U\" /etc/sample/*.env /opt/sample/current/.serin/environment 2>/dev/null | sort -u'")" || return
  done
}

units_are_hardened() {
  local exposure
  exposure=$(for host in prod1 canary1 edge1; do
    host_root "$host" systemd-analyze security --no-pager | awk '/^sample/ { print $2 }'
  done | sort -n | tail -n 1)
  echo "highest exposure of a unit: $exposure"
  awk -v e="$exposure" 'BEGIN { exit !(e > 0 && e <= 2) }'
}

programs_have_users_of_their_own() {
  same "sample sample-agent" "$(host_ssh canary1 ps -eo user:20,args | awk '/ dist\// { print $1 }' | sort -u | paste -sd' ')" &&
    same "sample-monitor sample-proxy" "$(host_ssh edge1 ps -eo user:20,args | awk '/ dist\// { print $1 }' | sort -u | paste -sd' ')"
}

three_to_one() {
  # The split is by blocks of four, and the first block may have begun with another request.
  eventually 10 canary_open && [[ $(served 40) =~ ^canary\ (9|10|11)\ prod\ (29|30|31)$ ]]
}

set_up() { play site.yml -e "serin_artifact=$ARTIFACT" -e "serin_service_artifact=$SAMPLE" "$@"; }

# Receives the mails. Start it first: failed mails are retried with growing delays.
SES_PORT=8005
node "$(node -p 'require.resolve("aws-ses-v2-local").replace(/index\.js$/, "cli.js")')" \
  --host "$HOSTS_GATEWAY" --port $SES_PORT >"$HOSTS_RUN/ses.log" 2>&1 &

host_start prod1 canary1 redis1 edge1 || cannot_run "the hosts do not boot"
inventory_write prod1

check "new-vault generates a different value for every secret" \
  same "$(grep -c ': [0-9a-f]\{48\}$' "$HOSTS_RUN/secrets.yml")" "$(grep -oE ': [0-9a-f]{48}$' "$HOSTS_RUN/secrets.yml" | sort -u | wc -l)"
without_configuration() { (cd / && ansible_environment env -u ANSIBLE_CONFIG ansible-playbook -i "$INVENTORY" "$DEPLOYMENT_ROOT/ansible/deploy.yml" -e target=canary 2>&1); }
check "playbooks reject a run without their ansible.cfg" contains "$(without_configuration)" "ansible.cfg was not read"
check "site.yml --check passes on empty hosts" set_up --check

began=$(now_ms)
PROVISION_OUTPUT=$(set_up --diff -v 2>&1)
provisioned=$?
figure "site.yml on four empty hosts: $(seconds_since "$began") s"
check "site.yml sets up four empty hosts" test $provisioned = 0 || {
  tail -n 60 <<<"$PROVISION_OUTPUT"
  exit 1
}
check "its output shows no secret, even with --diff -v" no_secret_in "$PROVISION_OUTPUT"
check "requests through the proxy are split 3:1" three_to_one
check "every unit is active and enabled" units_are_active
check "only root can read settings" settings_are_closed
check "systemd rates every unit's exposure at 2 or less" units_are_hardened
check "each program has its own user" programs_have_users_of_their_own
check "the agents report every app with its release" \
  eventually 10 node -e '
    fetch(process.argv[1] + "/api/state").then(async (answer) => {
      const { hosts } = await answer.json();
      const ups = hosts.filter(({ up, version }) => up && version === process.argv[2]);
      process.exitCode = ups.length === 4 ? 0 : 1;
    });' "$(monitor_url)" "$RELEASE"

under_load "site.yml, unchanged" play site.yml -e serin_artifact=/nonexistent -e serin_service_artifact=/nonexistent
check "a second run changes nothing and needs no artifact" nothing_changed "$LOAD_OUTPUT"
check "and no request fails" none_failed
check "site.yml --check reports no change" nothing_changed "$(play site.yml --check 2>&1)"
