# shellcheck shell=bash disable=SC2317
# Rolls back to the previous release, from the hosts' disks and by hand.

fill_history() {
  host_root canary1 sh -c "'cd /opt/sample && for i in 1 2 3 4 5; do mkdir -p releases/old-\$i; echo old-\$i; done >history.new && cat history >>history.new && mv history.new history'"
}

kept_releases() { host_ssh canary1 ls /opt/sample/releases | paste -sd' '; }

before=$(wc -l <"$HOSTS_RUN/mirror.log")
under_load "roll-back of one prod host" play rollback.yml -e target=prod -e serin_service_artifact=/nonexistent
check "rollback.yml restores the previous release on prod" runs_everywhere "$RELEASE" prod1
check "and no request fails" none_failed
under_load "roll-back of the canary" play rollback.yml -e target=canary -e serin_service_artifact=/nonexistent
check "and on the canary" runs_everywhere "$RELEASE"
check "and no request fails" none_failed
check "nothing is downloaded" same "$before" "$(wc -l <"$HOSTS_RUN/mirror.log")"
check "rollback.yml reports that no release precedes the first one" \
  contains "$(play rollback.yml -e target=prod 2>&1)" "there is no release before $RELEASE"

check "a release that is still on the host is deployed without an artifact" \
  play deploy.yml -e target=canary -e serin_service_artifact=/nonexistent -e "serin_release=$RELEASE.second"
check "a link and a restart by hand" host_root canary1 sh -c \
  "'ln -sfn releases/$RELEASE /opt/sample/current && systemctl restart sample@3002 sample@3012'"
check "restore the release too" runs_everywhere "$RELEASE"

fill_history
check "a sixth release is deployed" play deploy.yml -e target=canary -e "serin_service_artifact=$(artifact_variant sixth)"
check "and five releases are kept" same "$(printf '%s\n' "$RELEASE" "$RELEASE.second" "$RELEASE.sixth" old-4 old-5 | sort | paste -sd' ')" "$(kept_releases)"
