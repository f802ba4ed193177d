# shellcheck shell=bash
# An inventory of the test hosts, as docs/deploying.md describes it, and ansible-playbook with it. Source hosts.sh first.

DEPLOYMENT_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../.." && pwd)

# inventory_write PROD_HOST…: writes $HOSTS_RUN/inventory with canary1, redis1, edge1 and these prod hosts, which must have
# been started. The encrypted vault is made once per run.
inventory_write() {
  local dir=$HOSTS_RUN/inventory
  INVENTORY=$dir
  mkdir -p "$dir/group_vars/all"
  {
    echo "---"
    echo "all: {vars: {ansible_user: admin}}"
    inventory_group prod "$@"
    inventory_group canary canary1
    inventory_group redis redis1
    inventory_group proxy edge1
  } >"$dir/hosts.yml"
  [ -e "$dir/group_vars/all/vault.yml" ] || inventory_vault "$dir/group_vars/all/vault.yml"
  inventory_test_settings >"$dir/group_vars/all/test.yml"
}

inventory_group() {
  local group=$1 name
  shift
  echo "$group:"
  echo "  hosts:"
  for name in "$@"; do echo "    $name: {ansible_host: $(host_address "$name")}"; done
}

inventory_vault() {
  openssl rand -hex 16 >"$HOSTS_RUN/vault-password"
  # Kept in plain text too, so that tests can search for leaked secrets.
  "$DEPLOYMENT_ROOT/ansible/new-vault" >"$HOSTS_RUN/secrets.yml"
  ansible-vault encrypt --vault-password-file "$HOSTS_RUN/vault-password" --output "$1" "$HOSTS_RUN/secrets.yml" 2>/dev/null
}

# The differences to a user's inventory: the source of Node and the target of mails.
inventory_test_settings() {
  local arch sum
  arch=$(node_arch)
  sum=$(sha256sum "$HOSTS_CACHE/mirror/node/v$NODE_VERSION/node-v$NODE_VERSION-linux-$arch.tar.xz" | cut -d' ' -f1)
  cat <<SETTINGS
---
serin_service: sample
serin_key_prefix: "serin:"
nodejs_version: $NODE_VERSION
nodejs_mirror: $HOSTS_MIRROR/node
nodejs_checksums: {$arch: $sum}
serin_alert_transport: ses
serin_alert_from: serin@example.com
serin_alert_to: [ops@example.com]
serin_aws_region: eu-central-1
serin_aws_access_key_id: test
serin_aws_secret_access_key: test
serin_monitor_settings: {SES_ENDPOINT: "http://$HOSTS_GATEWAY:8005", VERDICT_WARM_UP: "5s", VERDICT_STALL: "2.5s"}
serin_service_writable: [uploads]
serin_service_secrets:
  PRIVATE_KEY: |-
    -----BEGIN PRIVATE KEY-----
    "double" 'single' \$dollar \\backslash \`command\` #
    -----END PRIVATE KEY-----
SETTINGS
}

# secret NAME: prints a secret of the vault, such as admin_token, app or operator.
secret() { sed -nE "s/^ *(serin_)?$1: //p" "$HOSTS_RUN/secrets.yml"; }

# play PLAYBOOK ARGUMENT…: runs ansible-playbook on the test hosts.
play() {
  local playbook=$1
  shift
  ansible_environment ansible-playbook -i "$INVENTORY" "$DEPLOYMENT_ROOT/ansible/$playbook" "$@"
}

# ansible_environment COMMAND…: runs it with the environment in which Ansible reaches the test hosts. Control sockets belong to
# the run, because they would outlive a host with the same address.
ansible_environment() {
  env ANSIBLE_CONFIG="$DEPLOYMENT_ROOT/ansible/ansible.cfg" \
    ANSIBLE_SSH_COMMON_ARGS="-F $HOSTS_RUN/ssh_config" \
    ANSIBLE_SSH_CONTROL_PATH_DIR="$HOSTS_RUN/control" \
    ANSIBLE_LOCAL_TEMP="$HOSTS_RUN/tmp" \
    ANSIBLE_VAULT_PASSWORD_FILE="$HOSTS_RUN/vault-password" \
    ANSIBLE_NOCOLOR=1 PYTHONWARNINGS=ignore \
    "$@"
}
