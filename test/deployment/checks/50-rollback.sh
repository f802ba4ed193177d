# shellcheck shell=bash disable=SC2317
# Back to the release before, from the hosts' own disks; and by hand.

fill_history() {
  host_root canary1 sh -c "'cd /opt/serin && for i in 1 2 3 4 5; do mkdir -p releases/old-\$i; echo old-\$i; done >history.new && cat history >>history.new && mv history.new history'"
}

kept() { host_ssh canary1 ls /opt/serin/releases | paste -sd' '; }

before=$(wc -l <"$HOSTS_RUN/mirror.log")
under_load "roll-back of one prod host" play rollback.yml -e target=prod -e serin_artifact=/nonexistent
check "rollback.yml brings the release before back on prod" runs_everywhere "$RELEASE" prod1
check "no request failed meanwhile" none_failed
under_load "roll-back of the canary" play rollback.yml -e target=canary -e serin_artifact=/nonexistent
check "and on the canary" runs_everywhere "$RELEASE"
check "no request failed meanwhile" none_failed
check "nothing was downloaded" same "$before" "$(wc -l <"$HOSTS_RUN/mirror.log")"
check "before the first release there is none, and rollback.yml says so" \
  contains "$(play rollback.yml -e target=prod 2>&1)" "there is no release before $RELEASE"

check "a release that is still on the host is deployed without an artefact" \
  play deploy.yml -e target=canary -e serin_artifact=/nonexistent -e "serin_release=$RELEASE.second"
check "by hand: a link and a restart" host_root canary1 sh -c \
  "'ln -sfn releases/$RELEASE /opt/serin/current && systemctl restart serin-app serin-app-2 serin-agent serin-agent-2'"
check "bring it back too" runs_everywhere "$RELEASE"

fill_history
check "the sixth release goes" play deploy.yml -e target=canary -e "serin_artifact=$(artifact_variant sixth)"
check "and five stay" same "$(printf '%s\n' "$RELEASE" "$RELEASE.second" "$RELEASE.sixth" old-4 old-5 | sort | paste -sd' ')" "$(kept)"
