# shellcheck shell=bash disable=SC2317
# serin.yml as an inventory, read by Ansible itself. It needs no hosts.

serin_yml_host() {
  SERIN_FILE=$HOSTS_RUN/shop/serin.yml ansible-inventory -i ansible/inventory/serin --host "$1" | json "$2"
}

[ -e dist/apps/cli/main.js ] || npm run --silent build >/dev/null
mkdir -p "$HOSTS_RUN/shop"
cat >"$HOSTS_RUN/shop/serin.yml" <<YAML
service: shop
run: node server.js
servers: {prod: [localhost], canary: [10.0.0.13], edge: [10.0.0.14]}
ssh: {user: admin}
YAML
check "Ansible reads serin.yml as an inventory" same "shop" "$(serin_yml_host 10.0.0.13 serin_service)"
check "with the address of a host that is given by name" same 127.0.0.1 "$(serin_yml_host localhost serin_address)"
check "and Redis on the edge host" contains \
  "$(SERIN_FILE=$HOSTS_RUN/shop/serin.yml ansible-inventory -i ansible/inventory/serin --graph redis)" 10.0.0.14
# What Ansible evaluates would run here, on the machine that releases.
sed -i "\$a writable: [\"{{ lookup('pipe', 'touch $HOSTS_RUN/evaluated') }}\"]" "$HOSTS_RUN/shop/serin.yml"
evaluate() {
  SERIN_FILE=$HOSTS_RUN/shop/serin.yml ansible 10.0.0.13 -i ansible/inventory/serin --connection local -m debug \
    -a "msg={{ serin_service_writable | first }}"
}
check "and evaluates no text of it" contains "$(evaluate)" "{{ lookup("
check "so that nothing is run" test ! -e "$HOSTS_RUN/evaluated"
