# shellcheck shell=bash disable=SC2016,SC2317
# What belongs to a release: environment, secrets, hooks, writable folders, native code.

GREETING=$'it\'s "$HOME" \\ `id` {{ name }} # 100 %\n\tsecond line'

# Adds a variable, a secret, a writable folder with a file, and hooks that say what ran where.
with_extras() {
  node -e 'console.log(JSON.stringify({ NODE_ENV: "production", GREETING: process.argv[1] }))' "$GREETING" >.serin/env
  echo '["PRIVATE_KEY"]' >.serin/secrets
  mkdir -p uploads .serin/hooks && echo shipped >uploads/logo
  echo 'echo "before $SERIN_SIDE $(id -un) ${#GREETING}" >>uploads/hooks' >.serin/hooks/before
  echo 'echo "promoted $SERIN_RELEASE" >>uploads/hooks' >.serin/hooks/promoted
  echo 'echo "aborted $SERIN_RELEASE" >>uploads/hooks' >.serin/hooks/aborted
}
with_failing_hook() { mkdir -p .serin/hooks && echo 'echo no such table; exit 3' >.serin/hooks/before; }
with_foreign_code() { sed -i 's/^{/{"architecture": "riscv", /' .serin/release.json; }
with_unknown_secret() { echo '["PRIVATE_KEY", "OTHER_KEY"]' >.serin/secrets; }

# variable HOST UNIT NAME: prints a variable of the unit's process.
variable() {
  host_root "$1" cat "/proc/$(main_pid "$1" "$2")/environ" | tr '\0\n' '\n\1' | sed -n "s/^$3=//p" | tr '\1' '\n'
}
on_canary() { host_root canary1 cat "/opt/sample/current/uploads/$1"; }
private_key() { sed -n 's/^  //; /BEGIN/,/END/p' "$HOSTS_RUN/inventory/group_vars/all/test.yml" | sed 's/^  //'; }

pids=$(first_and_last_pids)
rejection() { play deploy.yml -e target=canary -e "serin_service_artifact=$(artifact_variant "$@")" 2>&1; }
check "a secret that the vault does not have is named" \
  contains "$(rejection wants-a-secret with_unknown_secret)" "needs OTHER_KEY, which the vault does not have"
check "native code for another architecture is rejected" \
  contains "$(rejection foreign with_foreign_code)" "contains native code for riscv, and canary1 is"
under_load "a release whose hook before fails" rejection failing-hook with_failing_hook
check "a hook that fails ends the deploy" contains "$LOAD_OUTPUT" ".failing-hook failed, with status 3"
check "with its output" contains "$LOAD_OUTPUT" "no such table"
check "and no request fails" none_failed
check "none of them restarts anything" same "$pids" "$(first_and_last_pids)"

EXTRAS=$(artifact_variant extras with_extras)
deploy_extras() { play deploy.yml -e "target=$1" -e "serin_service_artifact=$EXTRAS" 2>&1; }
EXTRAS_OUTPUT=$(deploy_extras canary)
check "a release brings its variables to the canary, whatever is in them" same "$GREETING" "$(variable canary1 sample@3012 GREETING)"
check "and its secrets" same "$(private_key)" "$(variable canary1 sample@3002 PRIVATE_KEY)"
check "which no output shows" lacks "$EXTRAS_OUTPUT" "BEGIN"
check "prod has neither yet" same "" "$(variable prod1 sample@3001 GREETING)$(variable prod1 sample@3001 PRIVATE_KEY)"
check "its hook before ran as the service" same "before canary sample ${#GREETING}" "$(on_canary hooks)"
check "a writable folder has the files of the release" same shipped "$(on_canary logo)"
deploy_extras both >/dev/null
check "prod has its variables after its deploy" same "$GREETING" "$(variable prod1 sample@3011 GREETING)"
check "the hook before did not run again, and promoted ran on the canary" \
  same "before canary sample ${#GREETING} promoted $RELEASE.extras" "$(on_canary hooks | paste -sd' ')"
other_key() { play deploy.yml -e target=canary -e "serin_service_artifact=$EXTRAS" -e '{"serin_service_secrets": {"PRIVATE_KEY": "other"}}'; }
check "the same release is deployed with another secret" other_key
check "which the canary has" same other "$(variable canary1 sample@3002 PRIVATE_KEY)"
check "and the release on prod does not" same "$(private_key)" "$(variable prod1 sample@3001 PRIVATE_KEY)"
check "the canary gets the stable release back" \
  play rollback.yml -e target=canary -e "serin_release=$RELEASE.extras" -e serin_release_is_stable=true
check "with its own secret" same "$(private_key)" "$(variable canary1 sample@3002 PRIVATE_KEY)"
play rollback.yml -e target=both >/dev/null 2>&1
check "after a roll-back the variables are gone" same "" "$(variable prod1 sample@3001 GREETING)$(variable canary1 sample@3002 GREETING)"
check "the hook aborted ran" same "aborted $RELEASE.extras" \
  "$(host_root canary1 tail -n 1 /var/lib/sample/uploads/hooks)"
with_uploads() { mkdir uploads && echo another >uploads/logo && touch uploads/new; }
check "the next release" play deploy.yml -e target=canary -e "serin_service_artifact=$(artifact_variant keeps with_uploads)"
check "keeps the files of the writable folder" same shipped "$(on_canary logo)"
check "and the service's other files there" test -n "$(on_canary hooks)"
host_root canary1 sh -c "'cd /var/lib/sample && mv uploads kept && runuser -u sample -- ln -s /etc/apt uploads'"
check "a link that the service puts in place of the folder ends a deploy" \
  refuses play deploy.yml -e target=canary -e "serin_service_artifact=$(artifact_variant links with_uploads)"
check "and does not give the service what it leads to" same root "$(host_root canary1 stat --format=%U /etc/apt)"
host_root canary1 sh -c "'cd /var/lib/sample && rm uploads && mv kept uploads'"
check "the release before it runs again" play rollback.yml -e target=canary
