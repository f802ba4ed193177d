# shellcheck shell=bash disable=SC2016,SC2034,SC2317
# A newcomer's way: a service with a serin.yml on the same hosts, by `serin setup`, `serin release` and `serin rollback`.

# serin_of_shop ARGUMENT…: runs the CLI in the service's folder. Prints all of its output, and its exit status in the last line.
serin_of_shop() {
  (
    cd "$SHOP" && ansible_environment env -u ANSIBLE_CONFIG HOME="$HOSTS_RUN" SERIN_WAIT_MINUTES="${LIMIT:-2}" node "$CHECKOUT/dist/apps/cli/main.js" "$@" 2>&1
    echo "exit status $?"
  )
}
shop_git() { git -C "$SHOP" -c user.name=Ada -c user.email=ada@example.com "$@"; }
# shop_commit TEXT: commits a state of the service.
shop_commit() { echo "$1" >"$SHOP/content" && shop_git add . && shop_git commit --quiet -m "The state $1"; }
shop_on() { curl -fsS "http://$(host_address "$1"):$2/index.html"; }
shop_everywhere() { same "shop $1, shop $1" "$(shop_on canary1 3402), $(shop_on prod1 3401)"; }
# release_under_load NAME: `serin release` while clients use the service. Prints when each step began. Sets LOAD_OUTPUT.
release_under_load() {
  PROXY_PORT=8280 LOAD_PATH=/index.html under_load "$1" serin_of_shop release
  sed 's/^/# /' <<<"$LOAD_OUTPUT"
}

SHOP=$HOSTS_RUN/shop-source
mkdir -p "$SHOP"
git init --quiet --initial-branch=main "$SHOP"
cat >"$SHOP/serin.yml" <<CONFIG
service: pages
run: exec python3 -m http.server "\$PORT" --bind "\$HOST" --directory site
build: mkdir site && sed 's/^/shop /' content >site/index.html
include: [site]
health: /index.html
servers: {prod: [$(host_address prod1)], canary: [$(host_address canary1)], edge: [$(host_address edge1)]}
redis: $(host_address redis1)
ssh: {user: admin}
ports: {prod: 3401, canary: 3402}
proxy: {port: 8280}
rollout: {steps: [{weight: 10, for: 2s, requests: 5}, {weight: 25, for: 5s, requests: 5}]}
CONFIG
printf 'serin.vault.yml\n' >"$SHOP/.gitignore"
shop_commit first
FIRST_SHOP=$(shop_git rev-parse HEAD)

check "serin release asks for serin setup" contains "$(serin_of_shop release)" "write it with \`serin setup\`"
# The vault may hold any variable: these are for the tests' hosts, which do not reach the Internet.
inventory_test_settings | sed -n '/^nodejs/p' >"$HOSTS_RUN/shop-vault"
printf 'serin_monitor_settings: {VERDICT: "off"}\n' >>"$HOSTS_RUN/shop-vault"
ansible-vault encrypt --vault-password-file "$HOSTS_RUN/vault-password" --output "$SHOP/serin.vault.yml" \
  "$HOSTS_RUN/shop-vault" 2>/dev/null
setup=$(serin_of_shop setup)
check "serin setup sets the hosts up" contains "$setup" "the hosts are set up. Next: serin release"
check "and ends with status 0" contains "$setup" "exit status 0"
check "and shows each step of each host" contains "$setup" " s  $(host_address canary1)  "

release=$(serin_of_shop release)
check "the first release needs no verdict" contains "$release" "There is no stable release to compare with"
check "and is on canary and prod" shop_everywhere first
check "and stable is its commit" same "$FIRST_SHOP" "$(shop_git rev-parse stable)"

shop_commit second
SECOND_SHOP=$(shop_git rev-parse HEAD)
release_under_load "serin release, canary and prod"
check "a good canary is followed by prod" contains "$LOAD_OUTPUT" " · prod ✔"
check "with a line for each unit that is healthy" contains "$LOAD_OUTPUT" "pages@3402 is healthy"
check "and no request fails" none_failed
check "and runs on both" shop_everywhere second
check "and stable is its commit" same "$SECOND_SHOP" "$(shop_git rev-parse stable)"

sed -i 's/^run:.*/run: echo the last words; exit 1/' "$SHOP/serin.yml"
shop_commit broken
release_under_load "serin release of what ends at once"
check "a release that ends at once fails with its last words" contains "$LOAD_OUTPUT" "the last words"
check "and status 1" contains "$LOAD_OUTPUT" "exit status 1"
check "and no request fails" none_failed
check "and both sides run the one before" shop_everywhere second
check "serin reject resets the branch" contains "$(serin_of_shop reject)" "main was reset to the stable release"
check "and the commit is not admitted again" contains "$(serin_of_shop release "$(shop_git for-each-ref --format='%(objectname)' refs/rejected)")" \
  "exit status 4"

shop_commit quiet
release=$(LIMIT=0.1 serin_of_shop release)
check "a canary without traffic is left alone" contains "$release" "exit status 5"
check "and runs its release, prod the one before" same "shop quiet, shop second" "$(shop_on canary1 3402), $(shop_on prod1 3401)"
rollback=$(serin_of_shop rollback --canary)
check "serin rollback says from what to what" contains "$rollback" " → "
check "and puts the canary back" shop_everywhere second
